"use strict";
// What the page holds: the table of nanocrystals as text, and packed arrays of each field.

const DATA = JSON.parse(document.getElementById("data").textContent);
const EPOCHS = ["pre", "post"];
const EPOCH_NAMES = { pre: "before", post: "after" };
const MINUS = "\u2212";

async function unpack(text) {
  const deflated = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Rows of a CSV file: their cells, and the text they stood in (a download repeats it unchanged).
function parseCsv(text) {
  const rows = [];
  let cells = [], cell = "", quoted = false, start = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (quoted) {
      if (character !== '"') cell += character;
      else if (text[i + 1] === '"') { cell += '"'; i++; }
      else quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === ",") { cells.push(cell); cell = ""; }
    else if (character === "\n") {
      cells.push(cell);
      rows.push({ cells, text: text.slice(start, i + 1) });
      cells = []; cell = ""; start = i + 1;
    } else cell += character;
  }
  return rows;
}

// The files write infinity as "inf".
const numeric = (text) => (text === "" || text === undefined ? NaN : text === "inf" ? Infinity : Number(text));

// Degrees alone are written as a number; `treatment` is there where not all treatments are that.
const labelOf = (name) => name.replace(/^(-?[\d.]+) °C$/, "$1");

// One object a nanocrystal; `of(column)` is the cell's text, `num(column)` its number.
function readNanocrystals(text) {
  const [header, ...rows] = parseCsv(text);
  const place = new Map(header.cells.map((name, i) => [name, i]));
  const all = rows.map(({ cells, text: line }, index) => {
    const of = (name) => (place.has(name) ? cells[place.get(name)] : "");
    const num = (name) => numeric(of(name));
    const delta = num("delta_on_fraction");
    return {
      index, line, of, num,
      field: of("field"), id: of("nc_id"), temperature: labelOf(of("treatment") || of("temperature_c")),
      population: of("population"), excluded: of("excluded_because"),
      pre: num("on_fraction_pre"), post: num("on_fraction_post"), delta,
      // The file has six digits; rounding takes off what binary numbers add to them.
      points: Math.round(1e8 * delta) / 1e6,
    };
  });
  return { header: header.text, all };
}

// A packed array of bytes, n rows of equal length.
const rowOf = (bytes, length, row) => bytes.subarray(row * length, (row + 1) * length);

// Runs of frames of one state, of every nanocrystal: [{first, lengths}].
function readRuns(bytes, n) {
  let at = 0;
  const varint = () => {
    let value = 0, shift = 0, byte;
    do { byte = bytes[at++]; value += (byte & 127) * 2 ** shift; shift += 7; } while (byte & 128);
    return value;
  };
  return Array.from({ length: n }, () => {
    const count = varint();
    const first = varint();
    return { first, lengths: Array.from({ length: count }, varint) };
  });
}

const unpacked = new Map();

// The arrays of a field, unpacked once: traces, runs, dwell counts, cut-outs.
function arraysOf(field) {
  if (!unpacked.has(field.name)) unpacked.set(field.name, unpackField(field));
  return unpacked.get(field.name);
}

async function unpackField(field) {
  const n = field.nc_ids.length;
  const result = { row: new Map(field.nc_ids.map((id, row) => [String(id), row])) };
  for (const epoch of EPOCHS) {
    const trace = field.traces[epoch];
    const low = await unpack(trace.low);
    result[epoch] = {
      low,
      high: trace.high ? await unpack(trace.high) : low,
      runs: readRuns(await unpack(field.runs[epoch]), n),
      cutouts: await unpack(field.cutouts[epoch]),
    };
    for (const state of ["on", "off"]) {
      const bytes = await unpack(field.dwell[`${state}_${epoch}`]);
      const Counts = field.dwell.bits === 32 ? Uint32Array : Uint16Array;
      result[epoch][state] = new Counts(bytes.buffer);
    }
  }
  return result;
}

// One nanocrystal down to its pixels: traces with states, cut-outs, what was measured.

const fieldOf = (name) => DATA.fields.find((field) => field.name === name);

async function showNanocrystal() {
  const nc = NCS[state.current];
  byId("detail-body").hidden = !nc;
  byId("facts").hidden = !nc;
  byId("detail-title").textContent = nc ? `${nc.field}, nanocrystal ${nc.id}` : "No nanocrystal selected";
  if (!nc) return;
  byId("verdict").textContent = verdict(nc);
  byId("facts").replaceChildren(...facts(nc).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  const field = fieldOf(nc.field);
  const arrays = await arraysOf(field);
  if (NCS[state.current] !== nc) return; // another one was selected meanwhile
  const row = arrays.row.get(nc.id);
  for (const id of ["traces", "dwell-on", "dwell-off", "cutouts", "single"]) {
    (byId(id).closest("figure") ?? byId(id)).hidden = row === undefined;
  }
  byId("traces-note").textContent = row === undefined
    ? "No counts were taken: its aperture leaves the sensor in one of the epochs."
    : tracesNote(field);
  if (row === undefined) return;
  draw("traces", tracesSpec(nc, field, arrays, row));
  drawDwell(nc, field, arrays, row);
  showCutouts(field, arrays, row);
}

function verdict(nc) {
  if (!Number.isFinite(nc.delta)) return `Not analysed (${nc.excluded.replaceAll("_", " ") || "no counts"}).`;
  const name = nc.population ? DATA.population_names[nc.population] : `not analysed (${nc.excluded.replaceAll("_", " ")})`;
  return `${name}: on ${percentText(nc.pre)} of the time before, ${percentText(nc.post)} after (${signed(nc.points)} points)`;
}

function tracesNote(field) {
  const bins = EPOCHS.map((epoch) => field.traces[epoch].frames_per_bin);
  const size = Math.max(...bins);
  const seen = size > 1
    ? `Each stroke reaches from the smallest to the largest counts of ${size} frames (${(size * field.exposure_s).toFixed(2)} s), so that no event is lost`
    : "Each step is a frame";
  return `${seen}; the strip under each trace holds the state of every frame: the darker, the more on; zoomed in, exact to the frame. Dashed: the threshold. ${touched ? "The buttons zoom." : "Drag to zoom, double-click to see all."}`;
}

function envelope(field, arrays, row, epoch) {
  const { frames_per_bin: size, bins } = field.traces[epoch];
  const offset = field.traces.offset[row], scale = field.traces.step[row];
  const low = rowOf(arrays[epoch].low, bins, row), high = rowOf(arrays[epoch].high, bins, row);
  const x = [], y = [];
  for (let i = 0; i < bins; i++) {
    if (low[i] === 255) continue; // no such frame in this epoch
    const time = (size === 1 ? i : (i + 0.5) * size) * field.exposure_s;
    x.push(time);
    y.push(offset + scale * low[i]);
    if (size > 1) { x.push(time); y.push(offset + scale * high[i]); }
  }
  return { x, y, steps: size === 1 };
}

function stateSteps(field, arrays, row, epoch) {
  const { first, lengths } = arrays[epoch].runs[row];
  const x = [], y = [];
  let frame = 0, on = first;
  for (const length of lengths) {
    x.push(frame * field.exposure_s, (frame + length) * field.exposure_s);
    y.push(on, on);
    frame += length;
    on = 1 - on;
  }
  return { x, y };
}

function tracesSpec(nc, field, arrays, row) {
  return (look) => {
    const data = [], shapes = [];
    const layout = {
      margin: { l: 56, r: 10, t: 10, b: 40 }, dragmode: "zoom", shapes,
      uirevision: nc.index,
      annotations: EPOCHS.map((epoch, i) => ({ text: EPOCH_NAMES[epoch], xref: "paper", yref: "paper", x: 1, y: 1 - 0.53 * i, xanchor: "right", yanchor: "top", showarrow: false, bgcolor: look.paper, font: { color: look[epoch] } })),
    };
    EPOCHS.forEach((epoch, i) => {
      const [trace, strip] = i ? ["y3", "y4"] : ["y", "y2"];
      const counts = envelope(field, arrays, row, epoch), states = stateSteps(field, arrays, row, epoch);
      data.push(
        { type: "scatter", mode: "lines", x: counts.x, y: counts.y, yaxis: trace, hoverinfo: "x+y", line: { color: look[epoch], width: 1, shape: counts.steps ? "hv" : "linear", simplify: false } },
        { type: "scatter", mode: "lines", x: states.x, y: states.y, yaxis: strip, hoverinfo: "skip", fill: "tozeroy", fillcolor: look[epoch], line: { width: 0, simplify: false } },
      );
      const threshold = nc.num(`threshold_counts_${epoch}`);
      if (Number.isFinite(threshold)) {
        shapes.push({ type: "line", xref: "paper", x0: 0, x1: 1, yref: trace, y0: threshold, y1: threshold, line: { color: look.ink, width: 1, dash: "dash" } });
      }
      const base = i ? 0 : 0.53;
      layout[i ? "yaxis3" : "yaxis"] = { domain: [base + 0.07, base + 0.47], matches: i ? "y" : undefined, title: "counts", nticks: 4 };
      layout[i ? "yaxis4" : "yaxis2"] = { domain: [base, base + 0.045], range: [0, 1], fixedrange: true, showticklabels: false, showgrid: false, ticks: "", showline: false };
    });
    layout.xaxis = { title: "time in the movie (s)", showgrid: false, anchor: "y4" };
    return { data, layout };
  };
}

// The camera's pixels in grey, one scale for both epochs. The image after is turned so that it lies
// as before; its pixels stay squares of the camera, turned with it.
function showCutouts(field, arrays, row) {
  const { size } = field.cutouts;
  const shown = Math.floor(size / Math.SQRT2);
  const white = field.cutouts.white[row];
  const matrix = field.matrix;
  const turn = matrix ? -Math.atan2(matrix[1][0], matrix[0][0]) : 0;
  const figures = EPOCHS.map((epoch) => {
    const offset = field.cutouts[`offset_${epoch}`][row];
    const pixels = rowOf(arrays[epoch].cutouts, size * size, row);
    const canvas = el("canvas", { width: 288, height: 288, role: "img", "aria-label": `Pixels around the nanocrystal ${EPOCH_NAMES[epoch]}` });
    paint(canvas, pixels, size, shown, epoch === "post" ? turn : 0, offset, white);
    drawBar(canvas, roundLength(field, shown), shown);
    const degrees = (turn * 180) / Math.PI;
    const turned = epoch === "post" && Math.abs(degrees) > 0.5 ? `, turned by ${signed(degrees, 0)}°` : "";
    return el("figure", {}, canvas, el("figcaption", {}, EPOCH_NAMES[epoch] + turned));
  });
  const low = field.cutouts.low[row], high = low + white * field.cutouts.step[row];
  const words = `At each pixel the largest mean of ten frames in a row, ${shown} px wide; black ${Math.round(low)}, white ${Math.round(high)} counts in both, brown outside the sensor. The square is the aperture. Dark means on for less than ${percentOf(DATA.dark_cutoff)}: a spot can still be seen.`;
  byId("cutouts").replaceChildren(...figures, el("p", { class: "note" }, words));
}

function drawBar(canvas, { pixels, text }, shown) {
  const context = canvas.getContext("2d");
  context.resetTransform();
  context.strokeStyle = "#000";
  const [x, y, length] = [14, canvas.height - 16, (pixels / shown) * canvas.width];
  context.fillStyle = "#fff";
  context.fillRect(x, y, length, 4);
  context.font = "18px system-ui, sans-serif";
  context.textAlign = "left";
  context.lineWidth = 3;
  context.strokeText(text, x, y - 6);
  context.fillText(text, x, y - 6);
}

function paint(canvas, pixels, size, shown, turn, [dx, dy], white) {
  const image = new ImageData(size, size);
  pixels.forEach((code, i) => {
    const grey = Math.min(255, (255 * code) / white);
    image.data.set(code === 255 ? [96, 60, 60, 255] : [grey, grey, grey, 255], 4 * i);
  });
  const source = el("canvas", { width: size, height: size });
  source.getContext("2d").putImageData(image, 0, 0);
  const context = canvas.getContext("2d");
  const zoom = canvas.width / shown;
  context.imageSmoothingEnabled = false;
  context.translate(canvas.width / 2, canvas.height / 2);
  context.rotate(turn);
  context.scale(zoom, zoom);
  // The nanocrystal, not its nearest pixel, is in the middle.
  context.translate(-dx, -dy);
  context.drawImage(source, -size / 2, -size / 2);
  context.translate(dx, dy);
  context.strokeStyle = "#ffb000";
  context.lineWidth = 1.5 / zoom;
  const half = DATA.aperture_px / 2;
  context.strokeRect(-half, -half, 2 * half, 2 * half);
}

const known = (value, digits = 3) => (Number.isFinite(value) ? Number(value.toPrecision(digits)).toString().replace("-", MINUS) : "–");

// Types A and B are of on times; laws of off times have no letter.
const lawName = (kind, which) => (which === "on" ? DATA.type_names[kind] : DATA.law_names[kind]) ?? kind;

function law(nc, epoch, which) {
  const name = lawName(nc.of(which === "on" ? `blinking_${epoch}` : `blinking_off_${epoch}`), which);
  const alpha = nc.num(`alpha_${which}_${epoch}`), tau = nc.num(`tau_${which}_${epoch}_s`);
  const why = nc.of(`reason_${which}_${epoch}`);
  const note = why ? `; ${why}` : "";
  if (!Number.isFinite(alpha)) return name + note;
  const error = nc.num(`alpha_${which}_${epoch}_se`);
  // As many decimals as show two digits of the error, 0.16, and one of a large error.
  const digits = error >= 1 ? 1 : 2;
  const spread = Number.isFinite(error) ? ` ± ${error.toFixed(digits)} (standard error)` : "";
  return `${name}: α = ${alpha.toFixed(digits).replace("-", MINUS)}${spread}${cutOff(nc, epoch, which, tau)}${note}`;
}

function cutOff(nc, epoch, which, tau) {
  if (!Number.isFinite(tau)) return "";
  const [low, high] = ["low", "high"].map((end) => nc.num(`tau_${which}_${epoch}_${end}_s`));
  const interval = Number.isNaN(low) || Number.isNaN(high) ? "" : ` (95 %: ${known(low, 2)} to ${high === Infinity ? "∞" : known(high, 2)})`;
  return `, τ = ${known(tau, 2)} s${interval}`;
}

const place = (nc, epoch) => `${["x", "y"].map((axis) => nc.num(`${axis}_${epoch}`).toFixed(2).replace("-", MINUS)).join(", ")} px`;

function facts(nc) {
  const both = (column, digits) => EPOCHS.map((epoch) => known(nc.num(column.replace("*", epoch)), digits)).join(" → ");
  const list = [
    [DATA.treatment_heading, treatmentName(nc.temperature)],
    ["flags", flagsOf(nc).join(", ") || "none"],
    ["registration’s error here", `${known(nc.num("registration_error_px"), 2)} px`],
    ["detected", EPOCHS.filter((epoch) => nc.of(`detected_${epoch}`) === "True").map((epoch) => EPOCH_NAMES[epoch]).join(" and ") || "in neither epoch"],
    ["distance of the pair", nc.of("pair_distance_px") === "" ? "no pair" : `${known(nc.num("pair_distance_px"), 2)} px`],
    ["nearest neighbour", `${known(nc.num("neighbour_distance_px"))} px`],
    ["place before", place(nc, "pre")],
    ["place after", place(nc, "post")],
  ];
  if (!Number.isFinite(nc.delta)) return list;
  return [
    ...list,
    ["on times before", law(nc, "pre", "on")], ["on times after", law(nc, "post", "on")],
    ["off times before", law(nc, "pre", "off")], ["off times after", law(nc, "post", "off")],
    ["on events, without the first of the trace", both("n_on_events_*", 9)],
    ["of these made by noise, expected", both("expected_false_on_events_*", 2)],
    ["counts when on", both("counts_when_on_*")],
    ["threshold, counts", `${both("threshold_counts_*")}${thresholdFrom(nc)}`],
    ["noise of the off level, counts", both("off_noise_counts_*", 2)],
    ["within the movie", EPOCHS.map((epoch) => DATA.class_names[nc.of(`photostability_${epoch}`)] ?? "not tested").join(" → ")],
    ["dark at the end for, s", both("dark_at_end_*_s")],
  ];
}

function thresholdFrom(nc) {
  const from = unique(EPOCHS.map((epoch) => nc.of(`threshold_from_${epoch}`)));
  return from.length ? ` (${from.join(", ")})` : "";
}

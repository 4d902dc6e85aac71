// The nanocrystal shown as CSV: the tables of `python -m blinkpair.export FIELD -n NUMBER`.

const quoted = (value) => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
const csvOf = (names, rows) => new Blob([names, ...rows].map((cells) => `${cells.map((cell) => quoted(String(cell ?? ""))).join(",")}\n`), { type: "text/csv" });
const isOn = (run, i) => (i % 2 ? !run.first : !!run.first);

// One row a frame. The page holds the counts of every frame, or the ends of stretches of frames.
function traceTable(field, arrays, row) {
  const columns = EPOCHS.map((epoch) => {
    const { frames_per_bin: size, bins } = field.traces[epoch];
    const value = (codes) => (frame) => {
      const code = codes[Math.floor(frame / size)];
      return code === 255 || code === undefined ? "" : (field.traces.offset[row] + field.traces.step[row] * code).toFixed(2);
    };
    const [low, high] = ["low", "high"].map((end) => value(rowOf(arrays[epoch][end], bins, row)));
    const run = arrays[epoch].runs[row];
    const on = run.lengths.flatMap((length, i) => Array(length).fill(Number(isOn(run, i))));
    const there = (of) => (frame) => (frame < on.length ? of(frame) : "");
    const counts = size === 1 ? [[`counts_${epoch}`, there(low)]] : [[`counts_${epoch}_low`, there(low)], [`counts_${epoch}_high`, there(high)]];
    return { frames: on.length, columns: [...counts, [`on_${epoch}`, there((frame) => on[frame])]] };
  });
  const own = columns.flatMap((epoch) => epoch.columns);
  const frames = Math.max(...columns.map((epoch) => epoch.frames));
  const rows = Array.from({ length: frames }, (_, frame) => [frame, frame * field.exposure_s, ...own.map(([, of]) => of(frame))]);
  return [["frame", "time_s", ...own.map(([name]) => name)], rows];
}

function eventTable(field, arrays, row) {
  const rows = EPOCHS.flatMap((epoch) => {
    const run = arrays[epoch].runs[row];
    let start = 0;
    return run.lengths.map((length, i) => {
      const cut = i === 0 || i === run.lengths.length - 1;
      const cells = [epoch, isOn(run, i) ? "on" : "off", start, length * field.exposure_s, length, cut ? "True" : "False"];
      start += length;
      return cells;
    });
  });
  return [["epoch", "state", "first_frame", "duration_s", "duration_frames", "cut_off"], rows];
}

function densityTable(field, arrays, row) {
  const edges = field.dwell.edges_frames, bins = edges.length - 1;
  const rows = EPOCHS.flatMap((epoch) => ["on", "off"].flatMap((which) => {
    const counts = [...rowOf(arrays[epoch][which], bins, row)];
    const last = counts.findLastIndex((count) => count > 0);
    const total = counts.reduce((sum, count) => sum + count, 0);
    return counts.slice(0, last + 1).map((count, i) => {
      const event = 1 / (total * (edges[i + 1] - edges[i]) * field.exposure_s);
      const [low, high] = countLimits(count);
      return [edges[i], edges[i + 1] - 1, count, Math.sqrt(edges[i] * (edges[i + 1] - 1)) * field.exposure_s, count * event, low * event, high * event, epoch, which];
    });
  }));
  return [["first_frame", "last_frame", "n_events", "duration_s", "density_per_s", "density_low_per_s", "density_high_per_s", "epoch", "state"], rows];
}

const SINGLE_TABLES = { trace: traceTable, events: eventTable, p_of_t: densityTable };

async function saveSingle(kind) {
  const nc = NCS[state.current];
  const field = fieldOf(nc.field);
  const arrays = await arraysOf(field);
  const [names, rows] = SINGLE_TABLES[kind](field, arrays, arrays.row.get(nc.id));
  save(`${nc.field}_nanocrystal_${nc.id.padStart(5, "0")}_${kind}.csv`, csvOf(names, rows));
}

// P(t) of one nanocrystal's on and off times, with the laws fitted to them.

function drawDwell(nc, field, arrays, row) {
  for (const which of ["on", "off"]) draw(`dwell-${which}`, dwellSpec(nc, field, arrays, row, which));
}

function dwellSpec(nc, field, arrays, row, which) {
  return (look) => {
    const data = EPOCHS.flatMap((epoch) => {
      const points = density(field, rowOf(arrays[epoch][which], field.dwell.edges_frames.length - 1, row));
      const line = fitted(nc, epoch, which, points);
      return [
        { type: "scatter", mode: "markers", name: EPOCH_NAMES[epoch], x: points.x, y: points.y, customdata: points.n, error_y: { type: "data", symmetric: false, array: points.up, arrayminus: points.down, color: look[epoch], thickness: 1, width: 0 }, marker: { color: look[epoch], size: 7, symbol: epoch === "pre" ? "circle" : "square-open", line: { color: look[epoch], width: 1.5 } }, hovertemplate: "%{x:.3g} s: %{customdata} events<extra></extra>", showlegend: true },
        { type: "scatter", mode: "lines", x: line.x, y: line.y, hoverinfo: "skip", showlegend: false, line: { color: look[epoch], width: 1.5, dash: epoch === "pre" ? "solid" : "dash" } },
      ];
    });
    const some = data.some((trace) => trace.mode === "markers" && trace.x.length);
    return {
      data,
      layout: {
        showlegend: some, legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 11 } }, margin: { l: 46, r: 8, t: 26, b: 40 },
        xaxis: { type: "log", title: `${which} time t (s)`, showgrid: false, dtick: 1, exponentformat: "power", tickfont: { size: 10 }, range: decades(data, "x") },
        yaxis: { type: "log", title: "P(t) (1/s)", showgrid: false, dtick: 1, exponentformat: "power", tickfont: { size: 10 }, range: decades(data, "y") },
        annotations: noisy(nc).length ? [{ text: `mostly noise ${noisy(nc).join(" and ")}`, showarrow: false, xref: "paper", yref: "paper", x: 0.02, y: 0.02, xanchor: "left", yanchor: "bottom", font: { color: look.muted } }] : some ? [] : [{ text: "no complete event", showarrow: false, xref: "paper", yref: "paper", x: 0.5, y: 0.5 }],
      },
    };
  };
}

// Whole decades around all that is drawn, so that there is always a number on the axis.
function decades(data, axis) {
  const values = data.flatMap((trace) => trace[axis]);
  if (!values.length) return [-2, 0];
  const low = Math.floor(Math.log10(Math.min(...values)) - 0.1);
  return [low, Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values)) + 0.1))];
}

// Epochs in which noise alone is expected to make more than half of the on events.
function noisy(nc) {
  return EPOCHS.filter((epoch) => nc.num(`expected_false_on_events_${epoch}`) > 0.5 * nc.num(`n_on_events_${epoch}`)).map((epoch) => EPOCH_NAMES[epoch]);
}

// 68 % limits of a count; above those of the table by Wilson and Hilferty, right to 1 in 10,000.
function countLimits(count) {
  const end = (n, sign) => n * (1 - 1 / (9 * n) + sign / (3 * Math.sqrt(n))) ** 3;
  return DATA.count_limits[count] ?? [end(count, -1), end(count + 1, 1)];
}

// Events a second of duration, over the geometric middle of each bin's whole frames.
function density(field, counts) {
  const edges = field.dwell.edges_frames;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const x = [], y = [], n = [], up = [], down = [];
  let longest_s = 0;
  counts.forEach((count, i) => {
    if (!count) return;
    const event = 1 / (total * (edges[i + 1] - edges[i]) * field.exposure_s);
    const [low, high] = countLimits(count);
    longest_s = edges[i + 1] * field.exposure_s;
    x.push(Math.sqrt(edges[i] * (edges[i + 1] - 1)) * field.exposure_s);
    y.push(count * event);
    up.push((high - count) * event);
    down.push((count - low) * event);
    n.push(count);
  });
  return { x, y, n, up, down, longest_s, exposure_s: field.exposure_s };
}

// The law of the table, from the shortest duration fitted to the longest that occurred.
function fitted(nc, epoch, which, points) {
  const alpha = nc.num(`alpha_${which}_${epoch}`), amplitude = nc.num(`log_amplitude_${which}_${epoch}`);
  const tau = nc.num(`tau_${which}_${epoch}_s`);
  const from = nc.num(`fitted_from_frames_${which}_${epoch}`);
  const short = nc.num(`short_${which}_${epoch}_s`); // what the shortest events have more or less
  if (!Number.isFinite(alpha) || !Number.isFinite(amplitude)) return { x: [], y: [] };
  const start = (Number.isFinite(from) ? from : 1) * points.exposure_s;
  const end = Math.max(start * 2, points.longest_s);
  const x = [], y = [];
  for (let i = 0; i <= 60; i++) {
    const t = start * (end / start) ** (i / 60);
    const p = Math.exp(amplitude - alpha * Math.log(t) + (Number.isFinite(short) ? short / t : 0) - (Number.isFinite(tau) ? t / tau : 0));
    x.push(t);
    y.push(p);
  }
  return { x, y };
}

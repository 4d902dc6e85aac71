// P(t) of one nanocrystal's on and off times, with the laws fitted to them.

function drawDwell(nc, field, arrays, row) {
  for (const which of ["on", "off"]) draw(`dwell-${which}`, dwellSpec(nc, field, arrays, row, which));
}

function dwellSpec(nc, field, arrays, row, which) {
  return (look) => {
    const data = EPOCHS.flatMap((epoch) => {
      const points = density(field, rowOf(arrays[epoch][which], field.dwell.edges_frames.length - 1, row));
      const line = fitted(nc, field, epoch, which, Math.min(...points.y) / 5);
      return [
        { type: "scatter", mode: "markers", name: EPOCH_NAMES[epoch], x: points.x, y: points.y, customdata: points.n, marker: { color: look[epoch], size: 7, symbol: epoch === "pre" ? "circle" : "square-open", line: { color: look[epoch], width: 1.5 } }, hovertemplate: "%{x:.3g} s: %{customdata} events<extra></extra>", showlegend: true },
        { type: "scatter", mode: "lines", x: line.x, y: line.y, hoverinfo: "skip", showlegend: false, line: { color: look[epoch], width: 1.5, dash: epoch === "pre" ? "solid" : "dash" } },
      ];
    });
    const some = data.some((trace) => trace.mode === "markers" && trace.x.length);
    return {
      data,
      layout: {
        showlegend: some, legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 11 } }, margin: { l: 46, r: 8, t: 26, b: 40 },
        xaxis: { type: "log", title: `${which} time t (s)`, showgrid: false, dtick: 1, exponentformat: "power", tickfont: { size: 10 } },
        yaxis: { type: "log", title: "P(t) (1/s)", showgrid: false, dtick: 1, exponentformat: "power", tickfont: { size: 10 } },
        annotations: some ? [] : [{ text: "no complete event", showarrow: false, xref: "paper", yref: "paper", x: 0.5, y: 0.5 }],
      },
    };
  };
}

// Events a second of duration, over the geometric middle of each bin's whole frames.
function density(field, counts) {
  const edges = field.dwell.edges_frames;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const x = [], y = [], n = [];
  counts.forEach((count, i) => {
    if (!count) return;
    x.push(Math.sqrt(edges[i] * (edges[i + 1] - 1)) * field.exposure_s);
    y.push(count / (total * (edges[i + 1] - edges[i]) * field.exposure_s));
    n.push(count);
  });
  return { x, y, n };
}

// The law of the table from the shortest duration fitted, down to `lowest`.
function fitted(nc, field, epoch, which, lowest) {
  const alpha = nc.num(`alpha_${which}_${epoch}`), amplitude = nc.num(`log_amplitude_${which}_${epoch}`);
  const tau = nc.num(`tau_${which}_${epoch}_s`), from = nc.num(`fitted_from_frames_${which}_${epoch}`);
  const short = nc.num(`short_${which}_${epoch}_s`); // what the shortest events have more or less
  if (!Number.isFinite(alpha) || !Number.isFinite(amplitude)) return { x: [], y: [] };
  const start = (Number.isFinite(from) ? from : 1) * field.exposure_s;
  const end = Math.max(start * 2, field.dwell.edges_frames.at(-1) * field.exposure_s);
  const x = [], y = [];
  for (let i = 0; i <= 60; i++) {
    const t = start * (end / start) ** (i / 60);
    const p = Math.exp(amplitude - alpha * Math.log(t) + (Number.isFinite(short) ? short / t : 0) - (Number.isFinite(tau) ? t / tau : 0));
    if (p > lowest) { x.push(t); y.push(p); }
  }
  return { x, y };
}

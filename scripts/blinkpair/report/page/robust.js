// The populations against the threshold, one panel a treatment, one line a dark cutoff.

const DASHES = [["dot", "dotted"], ["solid", "solid"], ["dash", "dashed"], ["dashdot", "dash-dotted"], ["longdash", "long dashes"]];
const dashOf = (cutoffs, cutoff) => DASHES[cutoffs.indexOf(cutoff) % DASHES.length];

function drawRobust() {
  const { sensitivity: table } = DATA;
  const cutoffs = unique(table.dark_cutoff);
  const used = nearest(cutoffs, DATA.dark_cutoff);
  const ring = DATA.threshold.method === "fixed" ? ", the ring at the settings nearest to this run’s" : `; this run’s own thresholds (method ${DATA.threshold.method}) are not fixed`;
  if (!cutoffs.length) return; // every field was refused
  byId("sensitivity-note").textContent = `${cutoffs.map((cutoff) => `${dashOf(cutoffs, cutoff)[1]}: dark below ${Math.round(1000 * cutoff) / 10} %`).join(", ")}; bold at ${Math.round(1000 * used) / 10} %${ring}.`;
  const rows = table.n.map((_, i) => Object.fromEntries(Object.keys(table).map((name) => [name, table[name][i]])));
  const temperatures = DATA.answers.map((answer) => answer.temperature_c);
  byId("sensitivity").replaceChildren(...temperatures.map((temperature, i) => el("figure", { class: "plot" },
    el("figcaption", {}, treatmentName(temperature)),
    el("div", { id: `sensitivity-${i}`, class: "canvas", style: "height:250px", role: "group", "aria-label": `Share of nanocrystals that became emissive and dark against the threshold, ${treatmentName(temperature)}` }),
    el("button", { type: "button", class: "quiet svg", "data-plot": `sensitivity-${i}`, "aria-label": `Save as SVG: sensitivity, ${treatmentName(temperature)}` }, "SVG"))));
  const top = 105 * Math.max(0, ...rows.flatMap((row) => [row.fraction_became_emissive, row.fraction_became_dark]));
  temperatures.forEach((temperature, i) => {
    draw(`sensitivity-${i}`, sensitivitySpec(top, rows.filter((row) => String(row.temperature_c) === temperature)));
  });
}

const percentOrNull = (share) => (share === null ? null : 100 * share);
const nearest = (values, wanted) => values.reduce((best, value) => (Math.abs(value - wanted) < Math.abs(best - wanted) ? value : best), values[0]);

function sensitivitySpec(top, rows) {
  const cutoffs = unique(rows.map((row) => row.dark_cutoff));
  const used = nearest(cutoffs, DATA.dark_cutoff);
  const counts = nearest(unique(rows.map((row) => row.threshold_counts)), DATA.threshold.counts);
  return (look) => {
    const data = [["became_emissive", "triangle-up"], ["became_dark", "triangle-down"]].flatMap(([name, symbol]) => cutoffs.map((cutoff) => {
      const own = rows.filter((row) => row.dark_cutoff === cutoff);
      const emphasised = cutoff === used;
      return {
        type: "scatter", mode: "lines+markers", x: own.map((row) => row.threshold_counts), y: own.map((row) => percentOrNull(row[`fraction_${name}`])),
        opacity: emphasised ? 1 : 0.65,
        line: { color: DATA.colours[name], width: emphasised ? 2.5 : 1.2, dash: dashOf(cutoffs, cutoff)[0] }, marker: { symbol, size: emphasised ? 8 : 5 },
        customdata: own.map((row) => row.n),
        hovertemplate: `${DATA.population_names[name]}, dark below ${percentOf(cutoff)}<br>n = %{customdata}, threshold %{x}: %{y:.1f} %<extra></extra>`,
      };
    }));
    const chosen = rows.filter((row) => row.dark_cutoff === used && row.threshold_counts === counts);
    if (DATA.threshold.method === "fixed") {
      data.push({ type: "scatter", mode: "markers", hoverinfo: "skip", x: chosen.flatMap((row) => [row.threshold_counts, row.threshold_counts]), y: chosen.flatMap((row) => [percentOrNull(row.fraction_became_emissive), percentOrNull(row.fraction_became_dark)]), marker: { symbol: "circle-open", size: 15, color: look.ink, line: { width: 2 } } });
    }
    const annotations = rows.some((row) => row.n) ? [] : [{ text: "no nanocrystals", showarrow: false, xref: "paper", yref: "paper", x: 0.5, y: 0.5 }];
    return { data, layout: { annotations, xaxis: { title: "threshold (counts)", showgrid: false }, yaxis: { title: "% of n", range: [0, top || 1], nticks: 5 } } };
  };
}

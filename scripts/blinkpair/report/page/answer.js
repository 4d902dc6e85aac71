// The histograms of the change in on-fraction, one a treatment, on common axes.

const STACK = ["emissive", "became_dark", "became_emissive"];
const BINS = 200 / DATA.bin_points;
const binOf = (points) => Math.min(Math.floor((points + 100) / DATA.bin_points), BINS - 1);
const TREATMENTS = new Map(DATA.answers.map((answer, i) => [answer.temperature_c, { name: answer.name, order: i }]));
const treatmentName = (label) => TREATMENTS.get(label)?.name ?? label;
const CONTROL = DATA.answers.find((answer) => answer.temperature_c === "control");

function percentages(temperature, population) {
  const counts = DATA.histogram[temperature];
  const n = STACK.reduce((sum, name) => sum + counts[name].reduce((a, b) => a + b, 0), 0);
  const of = population ? counts[population] : counts[STACK[0]].map((_, i) => STACK.reduce((s, name) => s + counts[name][i], 0));
  return of.map((count) => (n ? (100 * count) / n : 0));
}

function histogramSpec(answer, top) {
  return (look) => {
    const middles = Array.from({ length: BINS }, (_, i) => -100 + DATA.bin_points * (i + 0.5));
    const counts = DATA.histogram[answer.temperature_c];
    const data = STACK.map((name) => ({
      type: "bar", x: middles, y: percentages(answer.temperature_c, name), width: DATA.bin_points,
      customdata: counts[name], meta: name,
      marker: { color: DATA.colours[name], line: { color: look.paper, width: 1 } },
      hovertemplate: `%{customdata} ${DATA.population_names[name]}, %{y:.1f} % of n<extra></extra>`,
    }));
    if (CONTROL?.n && answer !== CONTROL && answer.beside_control) {
      const outline = percentages("control");
      data.push({
        type: "scatter", mode: "lines", hoverinfo: "skip",
        x: [...middles.map((middle) => middle - DATA.bin_points / 2), 100], y: [...outline, outline.at(-1)],
        line: { shape: "hv", width: 1.2, color: look.muted },
      });
    }
    const chosen = state.selection ? [...state.selection].map((i) => NCS[i]) : [];
    const picked = chosen.filter((nc) => nc.temperature === answer.temperature_c && STACK.includes(nc.population));
    if (picked.length) {
      const bins = [...new Set(picked.map((nc) => binOf(nc.points)))];
      data.push(marksUnder(bins.map((bin) => middles[bin]), top, look.ink, "line-ns-open", 7));
    }
    const current = NCS[state.current];
    if (current && current.temperature === answer.temperature_c && Number.isFinite(current.points)) {
      data.push(marksUnder([current.points], top, look.ink, "triangle-up", 10));
    }
    const [mean, low, high] = answer.mean_points;
    const shapes = [{ type: "line", x0: 0, x1: 0, yref: "paper", y0: 0, y1: 1, line: { color: look.muted, width: 1, dash: "dot" } }];
    if (Number.isFinite(low) && low !== null) shapes.push({ type: "rect", x0: low, x1: high, yref: "paper", y0: 0, y1: 1, fillcolor: look.ink, opacity: 0.14, line: { width: 0 } });
    if (answer.n) shapes.push({ type: "line", x0: mean, x1: mean, yref: "paper", y0: 0, y1: 1, line: { color: look.ink, width: 1.6 } });
    return {
      data,
      layout: {
        barmode: "stack", bargap: 0, shapes, dragmode: false,
        xaxis: { title: "change in on-fraction (points)", range: [-102, 102], dtick: 25, showgrid: false, fixedrange: true },
        yaxis: { title: `% per ${DATA.bin_points} points`, range: [-0.07 * top, 1.06 * top], fixedrange: true, nticks: 5 },
        annotations: answer.n ? [] : [{ text: "no nanocrystals", showarrow: false, x: 0, y: top / 2 }],
      },
    };
  };
}

const marksUnder = (x, top, color, symbol, size) => ({
  type: "scatter", mode: "markers", hoverinfo: "skip", x, y: x.map(() => -0.035 * top),
  marker: { symbol, size, color, line: { width: 2, color } },
});

function drawAnswers() {
  const top = Math.max(1, ...Object.keys(DATA.histogram).flatMap((name) => percentages(name)));
  DATA.answers.forEach((answer, i) => {
    draw(`histogram-${i}`, histogramSpec(answer, top), (event) => selectBin(answer.temperature_c, event.points[0]));
  });
}

function selectBin(temperature, point) {
  const bin = binOf(point.x);
  const found = NCS.filter((nc) => nc.temperature === temperature && STACK.includes(nc.population) && binOf(nc.points) === bin);
  const counted = STACK.reduce((sum, name) => sum + DATA.histogram[temperature][name][bin], 0);
  selectAll(found, found.length < counted ? `${found.length} of this bar’s ${counted} are in the fields shown here.` : "");
}

function drawAnswerLegend() {
  const entries = STACK.map((name) => el("span", {}, swatch(DATA.colours[name]), DATA.population_names[name]));
  if (CONTROL?.n) {
    const apart = DATA.answers.filter((answer) => answer !== CONTROL && !answer.beside_control).map((answer) => answer.name);
    const but = apart.length ? ` (not drawn at ${apart.join(", ")}: movies of another length)` : "";
    entries.push(el("span", {}, el("i", { class: "stroke" }), `control, n = ${CONTROL.n}${but}`));
  }
  byId("answer-legend").replaceChildren(...entries);
}

function swatch(colour) {
  const node = el("i", { class: "swatch" });
  node.style.background = colour;
  return node;
}

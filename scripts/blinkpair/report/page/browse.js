// The filters, the scatter and the table of nanocrystals.

const PAGE_ROWS = 50;
// Near the dark cutoff with the digits that show on which side of it.
const percentText = (share) => (Number.isFinite(share) ? `${Math.abs(share - DATA.dark_cutoff) < 0.001 ? (100 * share).toFixed(3).replace(/0{1,2}$/, "") : (100 * share).toFixed(1)} %` : "–");
const percentOf = (share) => `${Number((100 * share).toPrecision(6))} %`;
const signed = (points, digits = 1) => {
  if (!Number.isFinite(points)) return "–";
  const text = points.toFixed(digits);
  return Number(text) === 0 ? Math.abs(points).toFixed(digits) : (points > 0 ? "+" : MINUS) + text.replace("-", "");
};
const populationName = (nc) => DATA.population_names[nc.population] ?? "not analysed";
const typeShort = (type) => ({ truncated_power_law: "A", power_law: "B", undecided: "undecided", neither: "neither" })[type] ?? "–";

const COLUMNS = [
  { name: "nanocrystal", key: (nc) => `${nc.field} ${nc.id}` },
  { name: DATA.treatment_heading, key: (nc) => TREATMENTS.get(nc.temperature)?.order ?? NaN, show: (nc) => treatmentName(nc.temperature) },
  { name: "population", key: populationName },
  { name: "before", key: (nc) => nc.pre, show: (nc) => percentText(nc.pre) },
  { name: "after", key: (nc) => nc.post, show: (nc) => percentText(nc.post) },
  { name: "change", key: (nc) => nc.points, show: (nc) => signed(nc.points) },
  { name: "type", key: (nc) => `${typeShort(nc.of("blinking_pre"))} → ${typeShort(nc.of("blinking_post"))}` },
  { name: "flags", key: (nc) => flagsOf(nc).join(", ") },
];

function buildFilters() {
  FILTERS = filterOptions();
  const fields = Object.entries(FILTERS).map(([name, [label, options]]) => {
    const choices = [el("option", { value: "" }, "all"), ...options.map(([value, text]) => el("option", { value }, text))];
    const select = el("select", { id: `filter-${name}`, onchange: (event) => setFilter(name, event.target.value) }, ...choices);
    return el("label", {}, label, select);
  });
  const ends = [["from", "Change from"], ["to", "to, points"]].map(([name, label]) => {
    const input = el("input", { type: "number", id: `filter-${name}`, min: -100, max: 100, step: 5, onchange: (event) => setFilter(name, event.target.value === "" ? null : Number(event.target.value)) });
    return el("label", { class: "short" }, label, input);
  });
  fields.push(el("div", { class: "range" }, ...ends));
  fields.push(
    el("button", { type: "button", id: "clear-filters", onclick: () => { state.filters = {}; state.page = 0; notify(); } }, "Clear filters"),
    el("button", { type: "button", id: "clear-selection", onclick: clearSelection }, "Clear selection"),
  );
  byId("filters").replaceChildren(...fields);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
}

function showFilters() {
  for (const name of [...Object.keys(FILTERS), "from", "to"]) byId(`filter-${name}`).value = state.filters[name] ?? "";
  byId("clear-selection").setAttribute("aria-disabled", String(!state.selection));
  const counts = new Map();
  const rows = filtered();
  for (const nc of rows) counts.set(populationName(nc), (counts.get(populationName(nc)) ?? 0) + 1);
  const parts = [...Object.values(DATA.population_names), "not analysed"].filter((name) => counts.has(name)).map((name) => `${counts.get(name)} ${name}`);
  const chosen = state.selection ? ` ${state.selection.size} selected.` : "";
  const where = DATA.hidden ? " of the fields shown" : "";
  byId("status").textContent = `${rows.length} of ${NCS.length} nanocrystals${where} pass the filters${parts.length ? `: ${parts.join(", ")}` : ""}.${chosen} ${state.remark}`.trim();
  const { temperature, field } = state.filters;
  byId("scatter-title").textContent = field || (temperature ? treatmentName(temperature) : DATA.answers.length > 1 ? "all treatments together" : DATA.answers[0]?.name ?? "");
}

const SYMBOLS = { emissive: "circle", became_dark: "triangle-down", became_emissive: "triangle-up", dark: "x", "": "cross-thin-open" };

function scatterSpec(look) {
  const rows = filtered().filter((nc) => Number.isFinite(nc.pre) && Number.isFinite(nc.post));
  const data = ["emissive", "dark", "became_dark", "became_emissive", ""].map((name) => {
    const own = rows.filter((nc) => nc.population === name);
    const colour = DATA.colours[name] ?? look.muted;
    return {
      type: "scatter", mode: "markers", name: DATA.population_names[name] ?? "not analysed", showlegend: own.length > 0,
      x: own.map((nc) => 100 * nc.pre), y: own.map((nc) => 100 * nc.post), customdata: own.map((nc) => nc.index),
      text: own.map((nc) => plain(`${nc.field}, ${nc.id}`)),
      marker: { symbol: SYMBOLS[name], size: 7, color: colour, opacity: 0.75, line: { width: name === "" ? 1.2 : 0, color: colour } },
      selected: { marker: { opacity: 0.75 } }, unselected: { marker: { opacity: 0.75 } },
      hovertemplate: "%{text}<br>%{x:.1f} % before, %{y:.1f} % after<extra></extra>",
    };
  });
  const ringed = (ncs, size, width) => ({
    type: "scatter", mode: "markers", hoverinfo: "skip", showlegend: false,
    x: ncs.map((nc) => 100 * nc.pre), y: ncs.map((nc) => 100 * nc.post),
    marker: { symbol: "circle-open", size, color: look.ink, line: { width, color: look.ink } },
  });
  const current = NCS[state.current];
  if (state.selection) data.push(ringed([...state.selection].map((i) => NCS[i]).filter((nc) => nc !== current), 11, 1.2));
  if (current) data.push(ringed([current], 17, 2.4));
  const cutoff = 100 * DATA.dark_cutoff;
  const line = (more) => ({ type: "line", layer: "below", line: { color: look.muted, width: 1, dash: "dot" }, ...more });
  return {
    data,
    layout: {
      showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, font: { size: 11 } },
      xaxis: { title: "on-fraction before (%)", range: [-3, 103], showgrid: false },
      yaxis: { title: "on-fraction after (%)", range: [-3, 103], showgrid: false },
      shapes: [
        line({ x0: 0, y0: 0, x1: 100, y1: 100 }),
        line({ x0: cutoff, x1: cutoff, yref: "paper", y0: 0, y1: 1 }),
        line({ y0: cutoff, y1: cutoff, xref: "paper", x0: 0, x1: 1 }),
      ],
      selections: state.box ? [state.box] : [], selectionrevision: JSON.stringify(state.box),
      dragmode: "select", margin: { l: 46, r: 10, t: 52, b: 40 }, uirevision: "scatter",
    },
  };
}

function drawScatter() {
  return draw("scatter", scatterSpec, (event) => {
    const index = event.points.find((point) => point.customdata !== undefined)?.customdata;
    if (index !== undefined) select(index);
  }, (event) => {
    const chosen = (event?.points ?? []).map((point) => point.customdata).filter((index) => index !== undefined);
    // Plotly keeps the box until it is removed: it has to go with the selection.
    if (chosen.length) selectAll(chosen.map((index) => NCS[index]), "", event.selections?.at(-1) ?? null);
  }, clearSelection);
}

function turnToCurrent() {
  const at = listed().findIndex((nc) => nc.index === state.current);
  if (at >= 0) state.page = Math.floor(at / PAGE_ROWS);
}

function turnPage(by) {
  state.page = Math.max(0, state.page + by); // the last one is known where rows are counted
  showTable();
}

function sortBy(name) {
  state.sort = { column: name, down: state.sort.column === name && !state.sort.down };
  state.page = 0;
  notify();
}

function showTable() {
  const head = COLUMNS.map(({ name }) => {
    const own = state.sort.column === name;
    return el("th", { scope: "col", "aria-sort": own ? (state.sort.down ? "descending" : "ascending") : "none" },
      el("button", { type: "button", onclick: () => sortBy(name) }, name, own ? (state.sort.down ? " ▼" : " ▲") : ""));
  });
  const rows = listed();
  const last = Math.max(0, Math.ceil(rows.length / PAGE_ROWS) - 1);
  state.page = Math.min(state.page, last);
  const shown = rows.slice(state.page * PAGE_ROWS, (state.page + 1) * PAGE_ROWS);
  const body = shown.map((nc) => {
    const [first, ...others] = COLUMNS;
    const chosen = state.selection?.has(nc.index) ?? false;
    const row = el("tr", { "data-index": nc.index, class: nc.index === state.current ? "current" : chosen ? "chosen" : "", onclick: () => select(nc.index) },
      el("th", { scope: "row" }, el("button", { type: "button", "aria-pressed": String(nc.index === state.current) }, first.key(nc))),
      ...others.map(({ key, show }) => el("td", {}, String((show ?? key)(nc)))));
    return row;
  });
  const table = byId("rows");
  const focused = table.contains(document.activeElement) ? document.activeElement.closest("tr")?.dataset.index : undefined;
  const sorted = table.tHead.contains(document.activeElement) ? [...table.tHead.querySelectorAll("button")].indexOf(document.activeElement) : -1;
  table.tHead.replaceChildren(el("tr", {}, ...head));
  table.tHead.querySelectorAll("button")[sorted]?.focus();
  table.tBodies[0].replaceChildren(...(body.length ? body : [el("tr", {}, el("td", { colspan: COLUMNS.length }, "no nanocrystal passes"))]));
  if (focused !== undefined) table.querySelector(`tr[data-index="${Number(focused)}"] button`)?.focus();
  byId("page-place").textContent = rows.length ? `${state.page * PAGE_ROWS + 1}–${state.page * PAGE_ROWS + shown.length} of ${rows.length}` : "none";
  // Not disabled, which would take the focus away from under the finger.
  byId("page-back").setAttribute("aria-disabled", String(state.page === 0));
  byId("page-on").setAttribute("aria-disabled", String(state.page === last));
  byId("only-selected").checked = state.onlySelected;
  byId("only-selected").disabled = !state.selection;
}

function downloadCsv(header) {
  // In the order of the file.
  const lines = listed().sort((a, b) => a.index - b.index).map((nc) => nc.line);
  save("blinkpair_nanocrystals.csv", new Blob([header, ...lines], { type: "text/csv" }));
}

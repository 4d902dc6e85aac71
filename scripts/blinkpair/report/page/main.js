// Brings the page to life once its data are unpacked.

function onKey(event) {
  const typing = event.target.matches?.("input:not([type=checkbox]), select, textarea, .table-wrap");
  if (typing || event.altKey || event.ctrlKey || event.metaKey || !NCS.length) return;
  if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
    event.preventDefault();
    step(event.key === "ArrowRight" ? 1 : -1);
  } else if (event.key === "Escape") clearSelection();
}

async function copyText(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Could not be copied: select it by hand";
  }
}

function switchTheme() {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  redraw();
}

// Paper is white, and narrower than the screen.
async function forPaper(printing) {
  const root = document.documentElement;
  if (root.classList.contains("paper") === printing) return;
  root.classList.toggle("paper", printing);
  if (printing) {
    root.dataset.shown = root.dataset.theme ?? "";
    root.dataset.theme = "light";
  } else if (root.dataset.shown) root.dataset.theme = root.dataset.shown;
  else delete root.dataset.theme;
  await redraw();
  if (!printing) for (const id of drawn.keys()) if (byId(id).clientWidth) Plotly.Plots.resize(byId(id));
}

function listen(header) {
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("page-back").addEventListener("click", () => turnPage(-1));
  byId("page-on").addEventListener("click", () => turnPage(1));
  byId("only-selected").addEventListener("change", (event) => { state.onlySelected = event.target.checked; state.page = 0; notify(); });
  byId("download-csv").addEventListener("click", () => downloadCsv(header));
  byId("theme").addEventListener("click", switchTheme);
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => {
    const { plot, copy, single } = event.target.closest?.("button")?.dataset ?? {};
    if (plot && drawn.has(plot)) saveSvg(plot);
    if (single) saveSingle(single);
    if (copy) copyText(event.target, byId(copy).textContent);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("beforeprint", () => forPaper(true));
  addEventListener("afterprint", () => forPaper(false));
}

async function start() {
  const bytes = await unpack(DATA.csv);
  const { header, all } = readNanocrystals(new TextDecoder().decode(bytes));
  NCS = all;
  buildFilters();
  drawAnswerLegend();
  listen(header);
  readVerdicts();
  listenToVerdicts();
  listeners.push(showFilters, showTable, showNanocrystal, showVerdicts);
  painters.push(drawAnswers, drawScatter, followField);
  if (DATA.fields.length) buildFields();
  drawRobust();
  // One is shown at once, as an example of the page's content.
  state.current = (NCS.find((nc) => nc.population === "became_emissive") ?? NCS.find((nc) => nc.population) ?? NCS[0])?.index ?? null;
  notify();
  document.documentElement.dataset.ready = "yes";
}

// The field below shows where the nanocrystal looked at is.
function followField() {
  const nc = NCS[state.current];
  if (nc && view.field && nc.field !== view.field.name) showField(nc.field);
  else if (view.field) showMarks();
}

start().catch((error) => {
  const failure = byId("failure");
  failure.hidden = false;
  failure.textContent = `The interactive part of this page could not start (${error.message}). The tables are complete. A browser of 2023 or later is needed.`;
  console.error(error);
});

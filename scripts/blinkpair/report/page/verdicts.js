// Nanocrystals that are left out by eye: marked here, saved as the file that the next run reads.

const VERDICT_COLUMNS = ["field", "nc_id", "x_pre", "y_pre", "verdict", "why", "by", "date"];
const judged = new Map(); // "field number" -> the row of the file, and what the run made of it
let unsaved = 0; // changes since the file was saved

const judgedKey = (field, id) => `${field} ${id}`;
const judgementOf = (nc) => judged.get(judgedKey(nc.field, nc.id));
const outcomeText = (row) => ({ left_out: "left out in these results", already_excluded: "excluded already", refused: "refused" })[row.outcome] ?? "from the next run on";

// The rows that this run was made with. One found again has the number and the place of today; the
// number of one that was refused may be another nanocrystal's now.
function readVerdicts() {
  for (const row of DATA.verdicts) {
    const nc = NCS.find((one) => one.field === row.field && one.id === String(row.nc_id_found));
    const key = judgedKey(row.field, row.nc_id_found || `${row.nc_id} (then)`);
    judged.set(key, nc ? { ...row, ...placeOf(nc) } : row);
  }
}

const placeOf = (nc) => ({ field: nc.field, nc_id: nc.id, x_pre: nc.of("x_pre"), y_pre: nc.of("y_pre") });

function today() {
  const now = new Date();
  return [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}

// Set or take back the verdict on the nanocrystal shown.
function judge(kind) {
  const nc = NCS[state.current];
  if (!nc) return;
  const why = byId("judge-why").value.trim();
  if (judgementOf(nc)?.verdict === kind) judged.delete(judgedKey(nc.field, nc.id));
  else if (kind === "leave_out" && !why) {
    byId("judge-note").textContent = "Write why first.";
    return byId("judge-why").focus();
  } else judged.set(judgedKey(nc.field, nc.id), { ...placeOf(nc), verdict: kind, why, by: byId("judge-by").value.trim(), date: today() });
  unsaved += 1;
  notify();
}

function removeVerdict(key) {
  judged.delete(key);
  unsaved += 1;
  notify();
  byId("save-verdicts").focus();
}

function changeWhy() {
  const row = NCS[state.current] && judgementOf(NCS[state.current]);
  const why = byId("judge-why").value.trim();
  if (!row || (row.verdict === "leave_out" && !why)) return;
  Object.assign(row, { why, by: byId("judge-by").value.trim() || row.by, date: today() });
  unsaved += 1;
  notify();
}

function showVerdicts() {
  const nc = NCS[state.current];
  const own = nc && judgementOf(nc);
  for (const button of document.querySelectorAll("[data-judge]")) button.setAttribute("aria-pressed", String(own?.verdict === button.dataset.judge));
  if (state.current !== showVerdicts.last || own) byId("judge-why").value = own?.why ?? "";
  showVerdicts.last = state.current;
  byId("judge-note").textContent = own ? `${DATA.verdict_names[own.verdict]}: ${outcomeText(own)}. Press again to take it back.` : "";
  byId("verdicts").hidden = judged.size === 0 && !unsaved;
  byId("verdicts-title").textContent = `${judged.size} ${judged.size === 1 ? "verdict" : "verdicts"}${unsaved ? ", not saved" : ""}`;
  byId("verdict-rows").tBodies[0].replaceChildren(...[...judged].map(([key, row]) => verdictRow(key, row)));
}

function verdictRow(key, row) {
  const nc = NCS.find((one) => judgedKey(one.field, one.id) === key);
  const name = nc ? el("button", { type: "button", onclick: () => select(nc.index) }, key) : key;
  const outcome = [outcomeText(row), row.reason].filter((part) => part).join(": ");
  const cells = [DATA.verdict_names[row.verdict], row.why || "–", [row.by, row.date].filter((part) => part).join(", ") || "–", outcome];
  const remove = el("button", { type: "button", "aria-label": `Remove the verdict on ${key}`, onclick: () => removeVerdict(key) }, "remove");
  return el("tr", {}, el("th", { scope: "row" }, name), ...cells.map((text) => el("td", {}, text)), el("td", {}, remove));
}

function saveVerdicts() {
  const rows = [...judged.values()].map((row) => VERDICT_COLUMNS.map((name) => row[name]));
  save("verdicts.csv", csvOf(VERDICT_COLUMNS, rows));
  unsaved = 0;
  notify();
}

function listenToVerdicts() {
  for (const button of document.querySelectorAll("[data-judge]")) button.addEventListener("click", () => judge(button.dataset.judge));
  byId("judge").addEventListener("submit", (event) => event.preventDefault());
  for (const id of ["judge-why", "judge-by"]) byId(id).addEventListener("change", changeWhy);
  byId("save-verdicts").addEventListener("click", saveVerdicts);
  addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });
}

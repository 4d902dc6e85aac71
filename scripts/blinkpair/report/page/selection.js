// What is filtered, selected and shown; the parts that show it are notified of every change.

let NCS = [];
const state = { filters: {}, selection: null, current: null, sort: { column: null, down: false }, page: 0, onlySelected: false, remark: "", box: null };
const listeners = []; // of words and rows, at once
const painters = []; // of plots, once a picture on the screen however fast the keys
let painting = false;

const inEither = (test) => (nc) => EPOCHS.some((epoch) => test(nc, epoch));
const unique = (values) => [...new Set(values)].filter((value) => value !== "");

// Filters by name: a label, and options [value, text, test].
function filterOptions() {
  const choice = (values, name, test) => values.map((value) => [value, name(value), (nc) => test(nc, value)]);
  const populations = Object.keys(DATA.population_names).filter((name) => NCS.some((nc) => nc.population === name));
  const types = Object.keys(DATA.type_names);
  const typesFound = (epoch) => types.filter((type) => NCS.some((nc) => nc.of(`blinking_${epoch}`) === type && nc.population));
  const flags = [
    ["none", "analysed, nothing noted", (nc) => nc.excluded === "" && flagsOf(nc).length === 0],
    ...choice(unique(NCS.map((nc) => nc.excluded)), (value) => `excluded: ${value.replaceAll("_", " ")}`, (nc, value) => nc.excluded === value),
    ...choice(Object.keys(DATA.class_names).filter((name) => name !== "stable"), (value) => DATA.class_names[value],
      (nc, value) => inEither((one, epoch) => one.of(`photostability_${epoch}`) === value)(nc)),
    ["two", "two emitters in one spot", inEither(hasTwoEmitters)],
    ["one", "detected in one epoch only", (nc) => nc.population !== "" && nc.of("detected_pre") !== nc.of("detected_post")],
  ].filter(([, , test]) => NCS.some(test));
  return {
    field: ["Field", choice(unique(NCS.map((nc) => nc.field)), (value) => value, (nc, value) => nc.field === value)],
    temperature: [DATA.treatment_heading.replace(/^./, (first) => first.toUpperCase()), choice(DATA.answers.map((a) => a.temperature_c), treatmentName, (nc, value) => nc.temperature === value)],
    population: ["Population", [
      ...choice(populations, (value) => DATA.population_names[value], (nc, value) => nc.population === value),
      ["", "not analysed", (nc) => nc.population === ""],
    ].map(([value, name, test]) => [value || "not_analysed", name, test])],
    type_pre: ["Type before", choice(typesFound("pre"), (value) => DATA.type_names[value], (nc, value) => nc.of("blinking_pre") === value)],
    type_post: ["Type after", choice(typesFound("post"), (value) => DATA.type_names[value], (nc, value) => nc.of("blinking_post") === value)],
    flag: ["Flag", flags],
  };
}

let FILTERS = {};

function passes(nc) {
  for (const [name, value] of Object.entries(state.filters)) {
    if (value === "" || value === null) continue;
    if (name === "from" ? !(nc.points >= value) : name === "to" ? !(nc.points <= value) : !FILTERS[name][1].find(([key]) => key === value)[2](nc)) return false;
  }
  return true;
}

const filtered = () => NCS.filter(passes);

// The rows of the table: filtered, and of the selection where only that is wanted.
function listed() {
  let rows = filtered();
  if (state.onlySelected && state.selection) rows = rows.filter((nc) => state.selection.has(nc.index));
  const { column, down } = state.sort;
  if (!column) rows = [...rows.filter((nc) => nc.population), ...rows.filter((nc) => !nc.population)];
  else {
    const key = COLUMNS.find((entry) => entry.name === column).key;
    const sign = down ? -1 : 1;
    rows = [...rows].sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      if (typeof x === "string") return sign * x.localeCompare(y, "en", { numeric: true });
      return Number.isNaN(x) - Number.isNaN(y) || sign * (x - y) || a.index - b.index;
    });
  }
  return rows;
}

function notify() {
  for (const listener of listeners) listener();
  if (painting) return;
  painting = true;
  requestAnimationFrame(() => {
    painting = false;
    for (const painter of painters) painter();
  });
}

function selectAll(ncs, remark = "", box = null) {
  Object.assign(state, { remark, box });
  if (!ncs.length) return notify();
  state.selection = new Set(ncs.map((nc) => nc.index));
  state.onlySelected = true;
  state.current = ncs[0].index;
  showAll(ncs);
  state.page = 0;
  notify();
}

// Look at one nanocrystal; it stays within a selection that it belongs to.
function select(index) {
  Object.assign(state, { current: index, remark: "" });
  if (!state.selection?.has(index)) {
    Object.assign(state, { selection: new Set([index]), onlySelected: false, box: null });
  }
  showAll([NCS[index]]);
  turnToCurrent();
  notify();
}

// A filter must not hide what was just selected elsewhere on the page.
function showAll(ncs) {
  if (!ncs.every(passes)) state.filters = {};
}

function clearSelection() {
  Object.assign(state, { selection: null, onlySelected: false, current: null, remark: "", box: null });
  notify();
}

function setFilter(name, value) {
  state.filters = { ...state.filters, [name]: value };
  Object.assign(state, { page: 0, remark: "" });
  notify();
}

function step(by) {
  const several = state.selection && state.selection.size > 1;
  const chosen = several ? listed().filter((nc) => state.selection.has(nc.index)) : [];
  if (several && chosen.length < 2) {
    state.remark = "The filters leave no other of the selected.";
    return notify();
  }
  const rows = several ? chosen : listed();
  if (!rows.length) return;
  const at = rows.findIndex((nc) => nc.index === state.current);
  const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : (at + by + rows.length) % rows.length;
  if (several) { state.current = rows[next].index; turnToCurrent(); notify(); } else select(rows[next].index);
}

const hasTwoEmitters = (nc, epoch) => nc.of(`two_emitters_${epoch}`) === "True";

function flagsOf(nc) {
  const flags = [];
  if (nc.excluded) flags.push(`excluded: ${nc.excluded.replaceAll("_", " ")}`);
  for (const epoch of EPOCHS) {
    if (hasTwoEmitters(nc, epoch)) flags.push(`two emitters ${EPOCH_NAMES[epoch]}`);
    const found = nc.of(`photostability_${epoch}`);
    if (DATA.class_names[found] && found !== "stable") flags.push(`${DATA.class_names[found]} ${EPOCH_NAMES[epoch]}`);
  }
  return flags;
}

// Plots: one look in light and dark, drawn again when the theme or the width changes; SVG files.

const drawn = new Map();
const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
// Plotly reads some HTML in its texts; what a user wrote stays text.
const plain = (text) => String(text).replace(/[&<>]/g, (character) => ESCAPES[character]);

const PALETTES = {
  light: { ink: "#1c2024", muted: "#5b6470", line: "#d9dde2", paper: "#ffffff", pre: "#0072b2", post: "#d55e00" },
  dark: { ink: "#e8eaed", muted: "#a7b0ba", line: "#3a424b", paper: "#171b20", pre: "#56b4e9", post: "#ff8f3f" },
};

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

const palette = () => PALETTES[isDark() ? "dark" : "light"];

function axis(look, more = {}) {
  return {
    color: look.ink, gridcolor: look.line, linecolor: look.muted, tickcolor: look.muted,
    zeroline: false, automargin: true, ...more,
    title: { text: more.title ?? "", standoff: 6, font: { size: 12 } },
  };
}

function withLook({ data, layout }, look) {
  const axes = Object.fromEntries(
    Object.entries(layout).filter(([key]) => /^[xy]axis/.test(key)).map(([key, value]) => [key, axis(look, value)]),
  );
  return {
    data,
    layout: {
      showlegend: false, dragmode: "zoom", hovermode: "closest",
      font: { family: "system-ui, sans-serif", size: 12, color: look.ink },
      paper_bgcolor: look.paper, plot_bgcolor: look.paper,
      hoverlabel: { bgcolor: look.paper, bordercolor: look.muted, font: { color: look.ink } },
      margin: { l: 46, r: 10, t: 10, b: 40 },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: look.muted, activecolor: look.ink },
      ...layout, ...axes, ...(touched ? { dragmode: false } : {}),
    },
  };
}

const CONFIG = {
  responsive: true, displaylogo: false, displayModeBar: "hover", doubleClick: "reset",
  // Named one by one: Plotly's own choice has a button that uploads the data.
  modeBarButtons: [["zoom2d", "pan2d", "select2d"], ["zoomIn2d", "zoomOut2d", "resetScale2d"]],
  plotlyServerURL: "",
};

// Under a finger a drag scrolls the page; zooming is then left to the buttons.
const touched = matchMedia("(pointer: coarse)").matches;
const buttonsAlways = matchMedia("(hover: none)").matches;

// `spec` takes the look and returns {data, layout}; it is called again for another look.
function draw(id, spec, onClick, onSelected, onDeselect) {
  const first = !drawn.has(id);
  drawn.set(id, spec);
  const div = document.getElementById(id);
  const wanted = spec(palette());
  const { data, layout } = withLook(wanted, palette());
  // Paper has its own width, which the window does not know of.
  if (document.documentElement.classList.contains("paper")) layout.width = div.clientWidth;
  // Buttons have room of their own above the plot where they are always there, or a legend is.
  const room = wanted.layout.dragmode !== false && (buttonsAlways || wanted.layout.showlegend);
  div.classList.toggle("under-buttons", Boolean(room));
  const done = Plotly.react(div, data, layout, wanted.layout.dragmode === false ? { ...CONFIG, displayModeBar: false } : CONFIG);
  if (first && onClick) div.on("plotly_click", onClick);
  if (first && onSelected) div.on("plotly_selected", onSelected);
  if (first && onDeselect) div.on("plotly_deselect", onDeselect);
  return done;
}

const redraw = () => Promise.all([...drawn].map(([id, spec]) => draw(id, spec)));

// What a plot shows, for its file.
function titleOf(id) {
  const [kind, index] = id.split(/-(?=\d+$)/);
  const answer = DATA.answers[index];
  const nc = NCS[state.current];
  const own = nc ? `${nc.field}, nanocrystal ${nc.id}` : "";
  const texts = {
    histogram: () => `Change in on-fraction, ${answer.name}, n = ${answer.n}`,
    sensitivity: () => `Populations against the threshold, ${answer.name}`,
    scatter: () => `On-fractions, ${byId("scatter-title").textContent}`,
    traces: () => `Traces of ${own}`,
    "dwell-on": () => `On times of ${own}`,
    "dwell-off": () => `Off times of ${own}`,
    residuals: () => `${byId("residuals-title").textContent}, ${view.field.name}`,
    drift: () => `Drift, ${view.field.name}`,
    light: () => `Integrated PL of the analysed nanocrystals, ${view.field.name}`,
  };
  return texts[kind]();
}

function save(name, content) {
  const link = document.createElement("a");
  const url = content instanceof Blob ? URL.createObjectURL(content) : content;
  link.href = url;
  link.download = name;
  link.click();
  if (content instanceof Blob) setTimeout(() => URL.revokeObjectURL(url), 10000);
}

// In light colours whatever the page has, at the size on the screen; the file names its content.
async function saveSvg(id) {
  const div = document.getElementById(id);
  const { data, layout } = withLook(drawn.get(id)(PALETTES.light), PALETTES.light);
  const title = [titleOf(id), DATA.note].filter((part) => part).join("; ");
  layout.title = { text: plain(title), font: { size: 12 }, x: 0, xref: "paper", xanchor: "left", y: 1, yref: "container", yanchor: "top", pad: { t: 6 } };
  layout.margin = { ...layout.margin, t: layout.margin.t + 24 };
  for (const key of Object.keys(layout)) {
    const shown = /^[xy]axis/.test(key) && div.layout[key];
    if (shown?.range) layout[key] = { ...layout[key], range: shown.range, autorange: false };
  }
  const url = await Plotly.toImage({ data, layout }, { format: "svg", width: div.clientWidth, height: div.clientHeight + 24 });
  const svg = decodeURIComponent(url.slice(url.indexOf(",") + 1));
  save(`blinkpair_${title.replace(/[^\p{L}\p{N}.+-]+/gu, "_")}.svg`, new Blob([svg], { type: "image/svg+xml" }));
}

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const byId = (id) => document.getElementById(id);

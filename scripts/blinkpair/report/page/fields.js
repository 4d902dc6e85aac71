// One field: both images on top of each other, and what its registration rests on.

const SVG = "http://www.w3.org/2000/svg";
const view = { field: null, image: "bf", blinking: null };
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

function buildFields() {
  const choice = byId("field-choice");
  choice.replaceChildren(...DATA.fields.map((field) => el("option", { value: field.name }, field.name + (field.status === "ok" ? "" : " (refused)"))));
  choice.addEventListener("change", () => showField(choice.value));
  for (const input of document.querySelectorAll('input[name="image"]')) {
    input.addEventListener("change", () => { view.image = input.value; showStage(); });
  }
  byId("marks").addEventListener("change", showMarks);
  byId("swipe").addEventListener("input", () => swipeByHand(Number(byId("swipe").value)));
  byId("blink").addEventListener("click", toggleBlink);
  const stage = byId("stage");
  const drag = (event) => {
    if (event.target.dataset?.index || !event.buttons) return;
    const box = stage.getBoundingClientRect();
    const share = Math.round(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * 100);
    byId("swipe").value = share;
    swipeByHand(share);
  };
  stage.addEventListener("pointerdown", drag);
  stage.addEventListener("pointermove", drag);
  showField(DATA.fields[0].name);
}

function showField(name) {
  view.field = fieldOf(name);
  byId("field-choice").value = name;
  const { status, reason } = view.field;
  const before = status === "ok" ? "To check" : "Refused, and in no number of this page";
  byId("field-reason").hidden = !reason;
  byId("field-reason").textContent = `${before}: ${reason.replaceAll("; ", "\n")}`;
  showStage();
  draw("residuals", residualsSpec(view.field));
  draw("drift", driftSpec(view.field));
  draw("light", lightSpec(view.field));
}

function swipe(percent) {
  byId("stage").style.setProperty("--cut", `${percent}%`);
}

function swipeByHand(percent) {
  if (view.blinking !== null) toggleBlink();
  swipe(percent);
}

function toggleBlink() {
  const on = view.blinking === null;
  byId("blink").setAttribute("aria-pressed", String(on));
  clearInterval(view.blinking);
  view.blinking = null;
  byId("stage").classList.toggle("blinking", on);
  if (!on) return swipe(Number(byId("swipe").value));
  let after = false;
  const turn = () => {
    after = !after;
    byId("stage").dataset.seen = after ? "post" : "pre";
    swipe(after ? 0 : 100);
  };
  turn();
  view.blinking = setInterval(turn, calm() ? 2000 : 700);
}

// Width and height of the image before in its own pixels, in which the marks are drawn.
function sizeShown() {
  const { images } = view.field;
  const size = view.image === "bf" ? [images.width, images.height] : [images.pl_width, images.pl_height];
  return size.map((pixels) => pixels || 1); // no image, no size
}

function showStage() {
  const { field, image } = view;
  const { images } = field;
  const [width, height] = sizeShown();
  byId("stage").style.aspectRatio = `${width} / ${height}`;
  for (const epoch of EPOCHS) {
    const source = images[`${image}_${epoch}`];
    const node = byId(`stage-${epoch}`);
    node.hidden = !source;
    if (source) node.src = source; else node.removeAttribute("src");
  }
  const lacking = EPOCHS.filter((epoch) => !images[`${image}_${epoch}`]).map((epoch) => EPOCH_NAMES[epoch]);
  byId("stage-note").textContent = [
    images.registered ? "The image after lies in the pixels before; brown was not seen after." : "Not registered: the image after is as the camera saw it.",
    image === "bf" ? "Circles: microspheres matched; squares: only before; diamonds: only after." : "At each pixel the largest mean of ten frames in a row; both movies on one scale that shows weak spots (arcsinh). Circles: nanocrystals in their population’s colour; a click selects one.",
    image === "bf" && images.inverted ? "The contrast after is inverted: the focus was on the other side." : "",
    lacking.length ? `No image ${lacking.join(" and ")}.` : "",
  ].join(" ");
  showMarks();
}

function shape(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

// A round length, at most a fifth of an image, in words and in pixels.
function roundLength(field, width) {
  const unit = field.pixel_size_um > 0 ? field.pixel_size_um : 1;
  const decade = 10 ** Math.floor(Math.log10(0.2 * width * unit));
  const length = [5, 2, 1].find((step) => step * decade <= 0.2 * width * unit) * decade;
  return { pixels: length / unit, text: `${Number(length.toPrecision(1))} ${field.pixel_size_um > 0 ? "µm" : "px"}` };
}

// Of the image before, in its lower left corner.
function scaleBar(field, width, height) {
  const { pixels, text } = roundLength(field, width);
  const x = 0.04 * width, y = 0.95 * height;
  const label = shape("text", { class: "scale", x: x + pixels / 2, y: y - 0.02 * height, "text-anchor": "middle", "font-size": 0.04 * width });
  label.textContent = text;
  return [shape("line", { class: "scale", x1: x, x2: x + pixels, y1: y, y2: y, "stroke-width": 0.012 * width }), label];
}

function showMarks() {
  const { field, image } = view;
  const svg = byId("stage-marks");
  const [width, height] = sizeShown();
  // (0, 0) is the centre of the first pixel.
  svg.setAttribute("viewBox", `-0.5 -0.5 ${width} ${height}`);
  svg.replaceChildren(...scaleBar(field, width, height));
  if (!byId("marks").checked) return;
  const r = width / 60;
  if (image === "bf") {
    for (const [x, y, which] of field.microspheres) {
      const attributes = { class: "mark", stroke: ["#ffb000", "#56b4e9", "#ff8f3f"][which] };
      if (which === 0) svg.append(shape("circle", { ...attributes, cx: x, cy: y, r }));
      else svg.append(shape("rect", { ...attributes, x: x - r, y: y - r, width: 2 * r, height: 2 * r, transform: which === 2 ? `rotate(45 ${x} ${y})` : "" }));
    }
    return;
  }
  for (const nc of NCS.filter((one) => one.field === field.name)) {
    const [x, y] = [nc.num("x_pre"), nc.num("y_pre")];
    if (!(x > -1 && y > -1 && x < width && y < height)) continue;
    const current = nc.index === state.current;
    const mark = shape("circle", { class: "mark nanocrystal", stroke: DATA.colours[nc.population] ?? "#bbbbbb", cx: x, cy: y, r: current ? r : 0.55 * r, "data-index": nc.index });
    if (current) mark.classList.add("current");
    mark.append(Object.assign(shape("title", {}), { textContent: `${nc.id}: ${populationName(nc)}` }));
    mark.addEventListener("click", () => select(nc.index));
    svg.append(mark);
  }
}

function residualsSpec(field) {
  const lengths = Object.values(field.residuals).flatMap((rows) => rows.map(([, , dx, dy]) => Math.hypot(dx, dy))).sort((a, b) => a - b);
  const typical = lengths[Math.floor(0.9 * (lengths.length - 1))] || 1;
  const times = [1, 2, 5, 10, 20, 50, 100, 200, 500].filter((factor) => factor * typical < 0.06 * field.images.pl_width).pop() ?? 1;
  byId("residuals-title").textContent = lengths.length
    ? `Residuals, drawn ${times} times as long; longest ${lengths[lengths.length - 1].toFixed(2)} px` : "Residuals";
  return (look) => {
    const groups = [["nanocrystals", look.pre], ["microspheres", look.post]].map(([name, colour]) => ({ name, colour, rows: field.residuals[name] }));
    const data = groups.map(({ name, colour, rows }) => ({
      type: "scatter", mode: "lines", name, showlegend: rows.length > 0, hoverinfo: "skip",
      x: rows.flatMap(([x, , dx]) => [x, x + times * dx, null]), y: rows.flatMap(([, y, , dy]) => [y, y + times * dy, null]),
      line: { color: colour, width: name === "microspheres" ? 3 : 1.5 },
    }));
    data.push({
      type: "scatter", mode: "markers", showlegend: false, x: groups.flatMap(({ rows }) => rows.map(([x]) => x)), y: groups.flatMap(({ rows }) => rows.map(([, y]) => y)),
      text: groups.flatMap(({ name, rows }) => rows.map(([, , dx, dy]) => `${name.slice(0, -1)}, ${Math.hypot(dx, dy).toFixed(3)} px`)),
      marker: { size: 3, color: look.muted }, hovertemplate: "%{text}<extra></extra>",
    });
    const some = lengths.length > 0;
    return {
      data,
      layout: {
        showlegend: some, legend: { orientation: "h", y: 1.03, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)", font: { size: 11 } }, margin: { l: 46, r: 10, t: 32, b: 40 },
        xaxis: { title: "x (px)", range: [0, field.images.pl_width || 1], showgrid: false, constrain: "domain" },
        yaxis: { title: "y (px)", range: [field.images.pl_height || 1, 0], showgrid: false, scaleanchor: "x", constrain: "domain" },
        annotations: wordsInstead(some, "nothing matched"),
      },
    };
  };
}

// The text in a plot without data.
function wordsInstead(some, text) {
  return some ? [] : [{ text, showarrow: false, xref: "paper", yref: "paper", x: 0.5, y: 0.5 }];
}

function driftSpec(field) {
  return (look) => ({
    data: EPOCHS.flatMap((epoch) => ["x_px", "y_px"].map((name) => ({
      type: "scatter", mode: "lines", name: `${name[0]} ${EPOCH_NAMES[epoch]}`, showlegend: true,
      x: field.drift[epoch].time_s, y: field.drift[epoch][name].map((shift, i) => (field.drift[epoch].measured[i] ? shift : null)),
      line: { color: look[epoch], width: 1.5, dash: name === "x_px" ? "solid" : "dot" },
      hovertemplate: "%{x:.3g} s: %{y:.2f} px<extra></extra>",
    }))),
    layout: {
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", font: { size: 11 } }, showlegend: true, margin: { l: 46, r: 10, t: 28, b: 40 },
      annotations: wordsInstead(EPOCHS.some((epoch) => field.drift[epoch].measured.some(Boolean)), "drift could not be measured"),
      xaxis: { title: "time in the movie (s)", showgrid: false }, yaxis: { title: "drift (px)", nticks: 5 },
    },
  });
}

function lightSpec(field) {
  return (look) => ({
    data: EPOCHS.map((epoch) => ({
      type: "scatter", mode: "lines", name: EPOCH_NAMES[epoch], showlegend: true,
      x: field.integrated_pl[epoch].time_s, y: field.integrated_pl[epoch].counts,
      line: { color: look[epoch], width: 1.5 }, hovertemplate: "%{x:.3g} s: %{y:.4g}<extra></extra>",
    })),
    layout: {
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", font: { size: 11 } }, showlegend: true, margin: { l: 56, r: 10, t: 28, b: 40 },
      annotations: wordsInstead(EPOCHS.some((epoch) => field.integrated_pl[epoch].counts.length), "no nanocrystal was analysed"),
      xaxis: { title: "time in the movie (s)", showgrid: false }, yaxis: { title: "counts a frame", rangemode: "tozero", nticks: 5 },
    },
  });
}

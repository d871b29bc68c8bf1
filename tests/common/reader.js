// What a reader does with a report; what is seen is sent to the page around it, for the test to read.
(() => {
  const of = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const chart = of(".chart[data-chart]");
  const lines = () => all("path.line", chart).length;
  const button = all(".legend button")[1];
  const strip = of(".strip[data-of='1']");
  const axis = () => of(".axis", chart.parentElement).textContent;
  const ticks = () => all(".x span", chart).map(span => span.textContent).join(" ");
  const tip = () => of(".tip")?.innerText ?? of(".tip")?.textContent ?? "";
  const key = name => chart.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
  const seen = { wrong, width: innerWidth, overflow: document.documentElement.scrollWidth - innerWidth };

  // Drawing again with nothing changed must change nothing but the last digits: the script has rounded numbers.
  const parts = chart => chart.innerHTML.replace(/ data-arm="\d+"| d="[^"]*"|(top|left):[\d.]+/g, "");
  const drawn = () => all(".chart").map(parts);
  const before = drawn();
  seen.lines = [lines()];
  seen.pressed = [button.getAttribute("aria-pressed")];
  const gone = element => element.getClientRects().length === 0;
  seen.strips = [gone(strip)];
  for (let i = 0; i < 2; i++) {
    button.click();
    seen.lines.push(lines());
    seen.pressed.push(button.getAttribute("aria-pressed"));
    seen.strips.push(gone(strip));
  }
  const other = before.findIndex((text, i) => text !== drawn()[i]);
  seen.redrawn = other < 0 ? true : [before[other], drawn()[other]];

  seen.axes = [axis()];
  seen.ticks = [ticks()];
  of("input[name=axis][value='2']").click();
  seen.axes.push(axis());
  seen.ticks.push(ticks());

  const box = of(".area", chart).getBoundingClientRect();
  const move = { clientX: box.left + box.width / 2, clientY: box.top + 20, bubbles: true, pointerType: "mouse" };
  of(".area", chart).dispatchEvent(new PointerEvent("pointermove", move));
  seen.tip = tip();
  seen.escaped = of(".tip b b") === null;
  key("End");
  seen.by_key = [tip()];
  key("ArrowLeft");
  seen.by_key.push(tip());
  key("Escape");
  if (tip() !== "") wrong.push("Escape leaves the numbers standing");

  const heads = all(".answer thead th");
  const column = heads.findIndex(head => head.textContent.includes("accuracy"));
  const values = () => all(".answer tbody tr").map(row => Number(row.children[column].dataset.value));
  heads[column].click();
  const rising = values();
  heads[column].click();
  const falling = values();
  seen.sorted = rising.every((value, i) => i === 0 || rising[i - 1] <= value) && falling.join() === rising.toReversed().join();

  const paper = () => getComputedStyle(document.body).backgroundColor;
  seen.papers = [paper()];
  of("#theme").click();
  seen.papers.push(paper());

  parent.postMessage(JSON.stringify(seen), "*");
})();

"use strict";
// The game viewer. A link selects one game (#game=17&ply=5) or several games (#first=0&second=1&board=3).

(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
  const FIRST_WINS = 1, SECOND_WINS = 2, DRAW = 3;
  const CELL = 54, MARGIN = 26;
  const byId = (id) => document.getElementById(id);
  const games = data.games.map(([index, first, second, board, repeat, opening, cells, outcome, forfeit,
    milliseconds, values, nodes], order) => (
    { order, index, first, second, board, repeat, opening, cells, outcome, forfeit, milliseconds, values, nodes }));
  const orderOf = new Map(games.map((game) => [game.index, game.order]));

  const RESULTS = [
    ["first wins", (game) => game.outcome === FIRST_WINS],
    ["draw", (game) => game.outcome === DRAW],
    ["second wins", (game) => game.outcome === SECOND_WINS],
    ["forfeit", (game) => game.forfeit !== null],
  ];
  const filters = { first: byId("first"), second: byId("second"), board: byId("board"), result: byId("result") };
  let chosen = games;  // the games that pass the filters
  let game = null;
  let ply = 0;
  let ownHash = null;  // the hash that this script wrote itself, which it must not follow

  function rowName(row) {
    const before = Math.floor(row / 26);
    return (before ? rowName(before - 1) : "") + String.fromCharCode(65 + row % 26);
  }

  function cellName(board, cell) {
    const cols = data.boards[board][1];
    return rowName(Math.floor(cell / cols)) + (cell % cols + 1);
  }

  function boardName(board) {
    const [rows, cols, winLength, bricks] = data.boards[board];
    const names = bricks.map((cell) => cellName(board, cell)).join(",");
    return `${rows}x${cols}x${winLength}` + (names && `:${names}`);
  }

  const cellAt = (at) => ALPHABET.indexOf(game.cells[at]);

  function element(name, attributes = {}, text = null) {
    const svg = ["svg", "rect", "circle", "line", "path", "text"].includes(name);
    const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== null) made.textContent = text;
    return made;
  }

  // ---- the board ----

  function drawPosition() {
    const [rows, cols, , bricks] = data.boards[game.board];
    const width = MARGIN + cols * CELL + 2, height = MARGIN + rows * CELL + 2;
    const picture = byId("position");
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    picture.setAttribute("width", width);
    picture.setAttribute("height", height);
    const corner = (cell) => [MARGIN + (cell % cols) * CELL, MARGIN + Math.floor(cell / cols) * CELL];
    const parts = [];
    for (let col = 0; col < cols; col++) {
      parts.push(element("text", { class: "label", x: MARGIN + (col + 0.5) * CELL, y: 16 }, col + 1));
    }
    for (let row = 0; row < rows; row++) {
      parts.push(element("text", { class: "label", x: 12, y: MARGIN + (row + 0.5) * CELL + 5 }, rowName(row)));
    }
    for (let cell = 0; cell < rows * cols; cell++) {
      const [x, y] = corner(cell);
      const last = ply > 0 && cell === cellAt(ply - 1);
      parts.push(element("rect", { class: last ? "cell last" : "cell", x, y, width: CELL, height: CELL }));
    }
    for (const brick of bricks) {
      const [x, y] = corner(brick);
      parts.push(element("rect", { class: "brick", x: x + 5, y: y + 5, width: CELL - 10, height: CELL - 10, rx: 4 }));
    }
    for (let at = 0; at < ply; at++) parts.push(stone(at, ...corner(cellAt(at))));
    if (ply === game.cells.length) {
      for (const line of winningLines()) {
        const [[x1, y1], [x2, y2]] = [corner(line[0]), corner(line.at(-1))];
        const half = CELL / 2;
        parts.push(element("line", { class: "line", x1: x1 + half, y1: y1 + half, x2: x2 + half, y2: y2 + half }));
      }
    }
    picture.replaceChildren(...parts);
  }

  function stone(at, x, y) {
    const look = `stone ${at % 2 ? "second" : "first"}${at < game.opening ? " opening" : ""}`;
    if (at % 2 === 0) return element("circle", { class: look, cx: x + CELL / 2, cy: y + CELL / 2, r: CELL * 0.28 });
    const low = CELL * 0.25, high = CELL * 0.75;
    const [left, right, top, bottom] = [x + low, x + high, y + low, y + high];
    return element("path", { class: look, d: `M${left} ${top}L${right} ${bottom}M${left} ${bottom}L${right} ${top}` });
  }

  function winningLines() {
    const [rows, cols, winLength] = data.boards[game.board];
    if (game.forfeit !== null || game.outcome === DRAW) return [];
    const own = new Set();
    for (let at = game.outcome === FIRST_WINS ? 0 : 1; at < game.cells.length; at += 2) own.add(cellAt(at));
    const lines = [];
    for (const cell of own) {
      for (const [down, right] of [[0, 1], [1, 0], [1, 1], [1, -1]]) {
        const row = Math.floor(cell / cols) + down * (winLength - 1), col = cell % cols + right * (winLength - 1);
        if (row >= rows || col < 0 || col >= cols) continue;
        const line = Array.from({ length: winLength }, (_, i) => cell + i * (down * cols + right));
        if (line.every((place) => own.has(place))) lines.push(line);
      }
    }
    return lines;
  }

  // ---- the record ----

  function outcomeText() {
    const [first, second] = [data.players[game.first], data.players[game.second]];
    const plies = game.cells.length, after = adjudicated() ? `by adjudication after ${plies} plies` : null;
    if (game.outcome === DRAW) return `Draw ${after ?? `after ${plies} plies`}`;
    const [winner, loser] = game.outcome === FIRST_WINS ? [first, second] : [second, first];
    if (game.forfeit !== null) return `${winner} wins by forfeit: ${loser} ${game.forfeit}`;
    return `${winner} wins ${after ?? `in ${plies} plies`}`;
  }

  /** Returns whether the game was stopped early because its outcome was proven. */
  function adjudicated() {
    const [rows, cols, , bricks] = data.boards[game.board];
    if (game.forfeit !== null || game.cells.length === rows * cols - bricks.length) return false;
    return !winningLines().length;
  }

  function describeGame() {
    const first = element("span", { class: "first" }, `${data.players[game.first]} (O)`);
    const second = element("span", { class: "second" }, `${data.players[game.second]} (X)`);
    byId("caption").replaceChildren(first, " – ", second);
    byId("outcome").textContent = `Game ${game.index} on ${boardName(game.board)}, repeat ${game.repeat}. ${outcomeText()}.`;
    const rows = Array.from(game.cells, (_, at) => moveRow(at));
    byId("moves").replaceChildren(...rows);
  }

  function moveRow(at) {
    const opening = at < game.opening;
    const row = element("tr", opening ? { class: "opening" } : {});
    const jump = element("button", { type: "button", class: at % 2 ? "second" : "first" },
      `${at + 1}. ${cellName(game.board, cellAt(at))}`);
    jump.addEventListener("click", visit(() => showPly(at + 1)));
    const known = (list) => (list ? list[at] : null);
    const [value, nodes, time] = [known(game.values), known(game.nodes), known(game.milliseconds)];
    const texts = [
      opening ? "opening" : value === null ? "" : (value / 100).toFixed(2),
      nodes === null ? "" : nodes.toLocaleString("en"),
      time === null ? "" : String(time),
    ];
    const cell = element("td");
    cell.append(jump);
    row.append(cell, ...texts.map((text) => element("td", {}, text)));
    return row;
  }

  // ---- selecting games and plies ----

  function showPly(wanted) {
    ply = Math.max(0, Math.min(game.cells.length, wanted));
    drawPosition();
    byId("ply").textContent = `ply ${ply} of ${game.cells.length}`;
    byId("to-start").disabled = byId("back").disabled = ply === 0;
    byId("to-end").disabled = byId("on").disabled = ply === game.cells.length;
    Array.from(byId("moves").rows).forEach((row, at) => {
      row.classList.toggle("now", at === ply - 1);
      row.classList.toggle("ahead", at >= ply);
    });
    const list = byId("moves").closest(".moves"), row = byId("moves").rows[Math.max(ply - 1, 0)];
    if (row) list.scrollTop = row.offsetTop - list.clientHeight / 2;
  }

  /** Returns a listener that calls `show` and then writes a link to the shown position into the address. */
  function visit(show) {
    return () => {
      show();
      rememberPlace();
    };
  }

  function rememberPlace() {
    ownHash = `#game=${game.index}` + (ply === game.cells.length ? "" : `&ply=${ply}`);
    location.replace(ownHash);
  }

  function showGame(wanted, atPly = Infinity) {
    game = wanted;
    const place = chosen.indexOf(game);
    byId("game").value = game.index;
    byId("count").textContent = `${(place + 1).toLocaleString("en")} of ${chosen.length.toLocaleString("en")} games`;
    byId("game-back").disabled = place <= 0;
    byId("game-on").disabled = place === chosen.length - 1;
    describeGame();
    showPly(Math.min(atPly, game.cells.length));
  }

  function choose() {
    const wanted = Object.fromEntries(Object.entries(filters).map(([name, select]) => [name, select.value]));
    chosen = games.filter((each) =>
      ["first", "second", "board"].every((name) => wanted[name] === "" || each[name] === Number(wanted[name]))
      && (wanted.result === "" || RESULTS[wanted.result][1](each)));
  }

  function applyFilters() {
    choose();
    if (chosen.length) showGame(chosen[0]);
    else byId("count").textContent = "no matching games";
  }

  function setFilters(values) {
    for (const [name, select] of Object.entries(filters)) select.value = values.get(name) ?? "";
  }

  function showIndex(index, atPly) {
    const found = games[orderOf.get(index)];
    if (!found) {
      byId("count").textContent = `there is no game ${index}`;
      return;
    }
    if (!chosen.includes(found)) {
      setFilters(new Map());
      choose();
    }
    showGame(found, atPly);
  }

  function followLink() {
    if (location.hash === ownHash) return;
    const wanted = new URLSearchParams(location.hash.slice(1));
    if (wanted.has("game")) {
      const ply = Number(wanted.get("ply") ?? NaN);
      const atPly = Number.isInteger(ply) ? ply : Infinity;
      showIndex(Number(wanted.get("game")), atPly);
    } else if (["first", "second", "board"].some((name) => wanted.has(name))) {
      setFilters(wanted);
      applyFilters();
    } else return;
    byId("viewer").scrollIntoView();
  }

  /** Follows a link, even if the address already points there. */
  function go(hash) {
    ownHash = null;
    if (location.hash === hash) followLink();
    else location.hash = hash;
  }

  function fillFilters() {
    const options = {
      first: data.players, second: data.players, board: data.boards.map((_, board) => boardName(board)),
      result: RESULTS.map(([name]) => name),
    };
    for (const [name, select] of Object.entries(filters)) {
      const choices = options[name].map((text, value) => element("option", { value }, text));
      select.replaceChildren(element("option", { value: "" }, "any"), ...choices);
      select.addEventListener("change", visit(applyFilters));
    }
  }

  function listen() {
    const neighbour = (offset) => chosen[chosen.indexOf(game) + offset] ?? game;
    byId("game-back").addEventListener("click", visit(() => showGame(neighbour(-1))));
    byId("game-on").addEventListener("click", visit(() => showGame(neighbour(1))));
    byId("game").addEventListener("change", visit(() => showIndex(byId("game").valueAsNumber)));
    byId("to-start").addEventListener("click", visit(() => showPly(0)));
    byId("back").addEventListener("click", visit(() => showPly(ply - 1)));
    byId("on").addEventListener("click", visit(() => showPly(ply + 1)));
    byId("to-end").addEventListener("click", visit(() => showPly(game.cells.length)));
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest("input, select") || event.ctrlKey || event.metaKey || event.altKey;
      const offset = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (typing || !offset) return;
      event.preventDefault();
      visit(() => showPly(ply + offset))();
    });
    document.addEventListener("click", (event) => {
      const link = event.target.closest('a[href^="#"]'), cell = event.target.closest("rect[data-board]");
      if (link && link.hash.includes("=")) {
        event.preventDefault();
        go(link.hash);
      } else if (cell) {
        const { first, second } = cell.ownerSVGElement.dataset;
        const wanted = Object.entries({ first, second, board: cell.dataset.board }).filter(([, value]) => value);
        go(`#${new URLSearchParams(wanted)}`);
      }
    });
    window.addEventListener("hashchange", followLink);
  }

  if (!games.length) {
    byId("count").textContent = "no games yet";
    return;
  }
  fillFilters();
  listen();
  showGame(games[0]);
  followLink();
})();

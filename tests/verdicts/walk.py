"""Finds every interval that is printed beside a verdict, and those that contradict it.

    better, supported, refuted   the interval lies on the verdict's side of 0
    undecided                    0 lies in it
    no effect                    it lies within the margin

An interval that is called uncorrected in its own parenthesis, cell, line or heading is not judged.  Printed
numbers are rounded: only what no true value can explain is a contradiction.  Verdicts, margins and
the direction of metrics are read from what is printed, and where it does not print them from the
JSON of the same output.  Python's standard library only.
"""

import csv
import io
import re
from collections import Counter
from html.parser import HTMLParser

NUMBER = r"[+-]?\d+(?:\.\d+)?"
# "95 % interval -0.10 to +2.30 points", also a level such as 98.33 %.
SAID = re.compile(rf"(\d+(?:\.\d+)?) % interval(?:[a-z ,]*?) ({NUMBER})(?: points| %)? to ({NUMBER})")
BRACKET = re.compile(rf"\[({NUMBER}), ({NUMBER})\]")
RANGE = re.compile(rf"(?<![\w.])({NUMBER})(?: points| %)? to ({NUMBER})(?![\w.])")
LEVEL = re.compile(rf" \({NUMBER} %\)")  # after an interval in the report's tables
LESS_IS_BETTER = ("brier", "log_loss", "log loss", "Brier score")
NO_POINTS = LESS_IS_BETTER + ("auroc", "AUROC")
VERDICT = re.compile(r"(no effect|identical|undecided|not allowed|supported|refuted|\S.* better)$")


class Findings:
    def __init__(self):
        self.judged = Counter()  # by (place, kind of verdict)
        self.wrong = Counter()  # those of them that contradict it
        self.contradictions = []

    def judge(self, place, said, kind, low, high, slack, margin=None, centre=0.0):
        """kind: above, below, undecided, within.  `slack`: half of the last digit printed."""
        low, high = low - centre, high - centre
        wrong = {"above": low < -slack, "below": high > slack,
                 "undecided": low > slack or high < -slack,
                 "within": margin is not None and (low < -margin - slack or high > margin + slack)}
        if kind == "within" and margin is None:
            return
        self.judged[place, kind] += 1
        if wrong[kind]:
            self.wrong[place, kind] += 1
            where = "" if margin is None or kind != "within" else f" (margin {margin:g})"
            self.contradictions.append(f"{place}: {kind}{where}: {said}")


def slack_of(*numbers):
    """Half a unit of the last digit of the coarsest."""
    return max(0.5 * 10 ** -len(n.partition(".")[2]) for n in numbers) + 1e-12


def enclosing(text, at):
    """What the parenthesis around position `at` holds (the whole text where there is none)."""
    depth, start = 0, at
    while start > 0:
        start -= 1
        if text[start] == ")":
            depth += 1
        elif text[start] == "(":
            if depth == 0:
                break
            depth -= 1
    end = text.find(")", at)
    return text[start:end if end >= 0 else len(text)]


def kind_of(words, less_is_better=False, lower=False):
    """above, below, undecided or within, of a difference a - b; None: nothing to hold it to."""
    if words in ("no effect", "no_effect", "identical"):
        return "within"
    if words == "undecided":
        return "undecided"
    up = {"a better": not less_is_better, "a_better": not less_is_better,
          "b better": less_is_better, "b_better": less_is_better,
          "supported": not lower, "refuted": lower}
    return None if words not in up else "above" if up[words] else "below"


# ---- Sentences ----

def sentences(findings, place, text):
    """Verdicts of comparisons in running text (line breaks do not matter)."""
    text = " ".join(text.split())
    for part in re.split(r"(?<=[.:]) (?=- |Undecided|No verdict)|(?:^| )- ", text):
        for said in SAID.finditer(part):
            inside = enclosing(part, said.start())
            before = part[:said.start()]
            # The verdict is said in the words before the parenthesis, in the same sentence.
            before = re.split(r"\. ", before)[-1].removeprefix("- ")
            if "uncorrected" in inside:
                continue
            numbers = said.group(2), said.group(3)
            low, high = map(float, numbers)
            margin = re.search(rf"by less than the margin of ({NUMBER})", before)
            if margin:
                kind, limit = "within", float(margin.group(1))
            elif re.match(r"(Undecided|On these images only, it is undecided) whether", before):
                kind, limit = "undecided", None
            elif " is better than " in before:
                kind, limit = "above", None  # how much better the better one is
            else:
                continue
            findings.judge(place, part[:said.end()], kind, low, high, slack_of(*numbers), limit)


def claim_words(findings, place, claim, text):
    """What is said of a claim before it is concluded, asides after that are of other things; and where
    there is no verdict, what E1 says beside that."""
    beside = re.search(r"on these images only, .*?the claim .*? \(effect ([^)]*)\)", text)
    if beside:
        for said in SAID.finditer(beside.group(1)):
            claim_interval(findings, place, claim, beside.group(0), said.group(2), said.group(3),
                           verdict=claim["E1"]["verdict"].replace("_", " "))
    head = re.split(r", so, given|, which shows|, so there is a gap|, but no verdict", text)[0]
    for said in SAID.finditer(head):
        # In a gap the second interval, of hold-out less test, carries the verdict of E2.
        if claim["kind"] == "gap" and claim["headline"] == "E2" and "hold-out" not in head[:said.start()]:
            continue
        if "uncorrected" not in enclosing(head, said.start()):
            claim_interval(findings, place, claim, head[:said.end()], said.group(2), said.group(3))


def claim_interval(findings, place, claim, said, low, high, verdict=None):
    centre = claim["null_value"]
    kind = kind_of(verdict or claim["verdict"].replace("_", " "), lower=claim["direction"] == "lower")
    if kind is None:
        return
    # Shares are printed in percent, accuracies in points.
    scale = 100 if centre > 0 or "points" in claim["effect_text"] else 1
    findings.judge(place, f"{claim['id']}: {said}", kind, float(low), float(high),
                   slack_of(low, high), scale * claim["margin"] if claim["margin"] else None,
                   scale * centre)


# ---- JSON ----

def side(findings, place, name, evidence, kind, margin, centre=0.0):
    low, high = evidence["low"], evidence["high"]
    if kind == "within":  # the interval of equivalence is the one that belongs to it
        low = evidence["equivalence_low"] if evidence["equivalence_low"] is not None else low
        high = evidence["equivalence_high"] if evidence["equivalence_high"] is not None else high
    if kind is None or low is None or high is None:
        return
    if evidence.get("corrected") is False or evidence.get("uncorrected") is True:
        return
    findings.judge(place, f"{name} {evidence['verdict']}: {low} to {high}", kind, low, high, 1e-12,
                   margin, centre)


def comparisons_json(findings, place, comparisons):
    for c in comparisons:
        name = f"{c['a']} - {c['b']}, {c['split']} {c['metric']}"
        for e in ("E1", "E2"):
            kind = kind_of(c[e]["verdict"], c["less_is_better"])
            side(findings, place, f"{name}, {e}", c[e], kind, c["equivalence"]["margin"])


def claims_json(findings, place, claims):
    for c in claims:
        for e in ("E1", "E2"):
            kind = kind_of(c[e]["verdict"], lower=c["direction"] == "lower")
            side(findings, place, f"{c['id']}, {e}", c[e], kind, c["margin"] or None,
                 c["null_value"])
        gap = c["kind"] == "gap" and c["headline"] == "E2"  # its own interval is of another split
        if not gap:
            own = dict(c[c["headline"]], low=c["low"], high=c["high"])
            side(findings, place, f"{c['id']}, headline", own,
                 kind_of(c["verdict"], lower=c["direction"] == "lower"), c["margin"] or None,
                 c["null_value"])


# ---- Tables ----

def margins_of(comparisons):
    """Printed margin by "split metric"."""
    out = {}
    for c in comparisons:
        if c["equivalence"]["margin"] is not None:
            scale = 1 if c["metric"] in NO_POINTS else 100
            out[f"{c['split']} {c['metric']}"] = scale * c["equivalence"]["margin"]
    return out


def table_interval(findings, place, row, words, text, metric, margins):
    """One interval in a table of comparisons: of a - b."""
    found = BRACKET.search(text) or RANGE.search(LEVEL.sub("", text))
    if not found or "uncorrected" in text:
        return
    if words.endswith(" better") and words not in ("a better", "b better"):
        arm = words[:-len(" better")]
        words = "a better" if arm == row["a"] else "b better" if arm == row["b"] else words
    kind = kind_of(words, any(m in metric for m in LESS_IS_BETTER))
    if kind is None:
        return
    low, high = found.group(1), found.group(2)
    findings.judge(place, f"{' '.join(row.values())}: {found.group(0)} {words}", kind, float(low),
                   float(high), slack_of(low, high), margins.get(metric))


def text_table(findings, place, text, margins):
    for line in text.splitlines():
        verdict, interval = VERDICT.search(line.rstrip()), BRACKET.search(line)
        if not verdict or not interval:
            continue
        cells = re.split(r"\s{2,}", line.strip())
        row = {"a": cells[0], "b": cells[1], "metric": cells[2]}
        table_interval(findings, place, row, cells[-1], line, cells[2], margins)


class Page(HTMLParser):
    """Tables as lists of rows of (text, heading of the column), list items, cards of claims."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.items, self.cards = [], [], []
        self.path, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        name = dict(attrs).get("class", "") or ""
        if tag == "table":
            self.tables.append({"head": [], "rows": [], "card": self.cards[-1] if self.in_card() else None})
        elif tag == "tr" and self.tables:
            self.tables[-1]["rows"].append([])
        elif tag == "section" and name.startswith("claim"):
            self.cards.append({"paragraphs": []})
        if tag in ("td", "th", "li") or (tag == "p" and self.in_card()):
            self.text = ""
        if tag not in ("br", "img", "meta", "link", "hr", "input", "col", "source"):
            self.path.append((tag, name))

    def in_card(self):
        return any(t == "section" and n.startswith("claim") for t, n in self.path)

    def handle_data(self, data):
        self.text += data

    def handle_endtag(self, tag):
        name = ""
        while self.path:
            top, name = self.path.pop()
            if top == tag:
                break
        text = " ".join(self.text.split())
        if tag == "th" and self.tables:
            self.tables[-1]["head"].append(text)
        elif tag == "td" and self.tables and self.tables[-1]["rows"]:
            self.tables[-1]["rows"][-1].append(text)
        elif tag == "li":
            self.items.append(text)
        elif tag == "p" and self.in_card():
            self.cards[-1]["paragraphs"].append((name, text))


def report(findings, place, text, summary):
    page = Page(text)
    margins = margins_of(summary.get("comparisons", []))
    claims = {c["id"]: c for c in with_effect_text(summary.get("claims", []))}
    for item in page.items:
        sentences(findings, place, item)
    for card in page.cards:
        verdict = next(t for n, t in card["paragraphs"] if n == "verdict")
        claim = claims[verdict.split(" ")[-1]]
        card["claim"] = claim
        for name, words in card["paragraphs"]:
            if name == "":
                claim_words(findings, place, claim, words)
            if name == "effect" and not (claim["kind"] == "gap" and claim["headline"] == "E2"):
                for inside in re.findall(r"\(([^)]*)\)", words):
                    found = RANGE.search(inside)
                    if found and "uncorrected" not in inside:
                        claim_interval(findings, place, claim, words, *found.groups())
    for table in page.tables:
        head = table["head"]
        if "verdict" not in head:
            continue
        for row in table["rows"]:
            if len(row) != len(head):
                continue
            for at, cell in enumerate(row):
                if "uncorrected" in head[at] or "uncorrected" in cell:
                    continue
                if table["card"]:
                    found = RANGE.fullmatch(LEVEL.sub("", cell).replace(" points", "").replace(" %", ""))
                    if found:
                        claim_interval(findings, place, table["card"]["claim"], " ".join(row),
                                       *found.groups(), verdict=row[head.index("verdict")])
                elif "metric" in head and (BRACKET.search(cell) or
                                            RANGE.fullmatch(LEVEL.sub("", cell))):
                    after = next(i for i in range(at, len(head)) if head[i] == "verdict")
                    names = {k: row[head.index(k)] for k in ("a", "b", "metric")}
                    table_interval(findings, place, names, row[after], cell, names["metric"], margins)


def with_effect_text(claims):
    """Whether a claim's numbers are printed in points: its own sentence shows it."""
    out = []
    for c in claims:
        points = re.search(r" is [+-]?[\d.]+ points over ", c["explanation"])
        out.append(dict(c, effect_text="points" if points else ""))
    return out


def csv_table(findings, place, text, margins):
    rows = list(csv.DictReader(io.StringIO(text)))
    if not rows or not {"verdict", "low", "high"} <= set(rows[0]):
        return
    for row in rows:
        metric = row.get("metric", "")
        kind = kind_of(row["verdict"].replace("_", " "), metric in LESS_IS_BETTER)
        if kind and row["low"] and "uncorrected" not in row.values():
            findings.judge(place, str(row), kind, float(row["low"]), float(row["high"]), 1e-9,
                           margins.get(f"{row.get('split')} {metric}"))


# ---- Whole outputs ----

def compare_output(findings, text, said):
    """`bioptic compare`'s text, and its JSON."""
    sentences(findings, "compare, sentence", "\n".join(
        line for line in text.splitlines() if not BRACKET.search(line)))
    text_table(findings, "compare, table", text, margins_of(said["comparisons"]))
    comparisons_json(findings, "compare --json", said["comparisons"])


def terminal_claims(findings, text, claims):
    """The claims in what `run` and `report` print: "id  VERDICT: sentence", then the explanation."""
    flat = " ".join(text.split())
    for c in with_effect_text(claims):
        verdict = c["verdict"].replace("_", " ").upper()
        if f"{c['id']} {verdict}: " not in flat:
            findings.contradictions.append(f"terminal, claim: {c['id']} {verdict} is not printed")
        if c["explanation"] not in flat:
            findings.contradictions.append(f"terminal, claim: not printed: {c['explanation']}")
        claim_words(findings, "terminal, claim", c, c["explanation"])


def study_output(findings, text, folder, summary):
    """What `bioptic run` printed, and the study's folder."""
    comparisons = summary.get("comparisons", [])
    text_table(findings, "terminal, table", text, margins_of(comparisons))
    sentences(findings, "terminal, sentence", "\n".join(
        line for line in text.splitlines() if not BRACKET.search(line)))
    terminal_claims(findings, text, summary.get("claims", []))
    comparisons_json(findings, "summary.json", comparisons)
    claims_json(findings, "summary.json, claims", summary.get("claims", []))
    for c in comparisons:
        sentences(findings, "summary.json, sentence", c["explanation"])
    report(findings, "report.html", (folder / "report.html").read_text(), summary)
    for table in sorted((folder / "tables").glob("*.csv")):
        csv_table(findings, table.name, table.read_text(), margins_of(comparisons))

"""Finds the sentences in files that break a rule of prose. eng/prose.sh describes how to use this program."""

import html
import os
import re
import sys

# Each rule consists of a name, the kinds of text that it does not apply to, a pattern, and the advice. "^" matches the beginning of a sentence.
RULES = [(name, exempt.split(), re.compile(pattern, flags), advice) for name, exempt, pattern, flags, advice in [
    ("clause as subject", "", r"\bwh(o|at|ich)ever\b", re.I, "name the actor"),
    ("clause as subject or fragment", "heading name param cell", r"^(and |but |so |then )?what\b(?!.*\?\W*$)", re.I, "name the thing, and give the sentence a main verb"),
    ("clause as subject or fragment", "heading name param", r"^(and |but )?(whether|who)\b(?!.*\?\W*$)", re.I, "name the actor, and give the sentence a main verb"),
    ("clause as noun", "", r"\b(to|of|for|by|from|with|than|on|those|what|whether|and|or|if|up|until) who\b", re.I, "name the actor"),
    ("clause as noun", "", r"\b(of|for|from|with|than|in|on|by) what\b(?! follows)", re.I, "name the thing"),
    ("tell", "", r"\b(tells?|told|telling)\b", re.I, "code returns, reports, throws, signals or logs"),
    ("ask", "", r"\b([Aa]sks|[Aa]sked|asking)\b", 0, "code calls, requests, reads or queries"),
    ("unnamed actor", "", r"\b(nobody|somebody|anybody|everybody|someone|anyone|no one)\b", re.I, "name the actor"),
    ("for ever", "", r"\bfor ?ever\b", re.I, "name the end, or write 'without end'"),
    ("meanwhile", "", r"\bmeanwhile\b", re.I, "name the period: 'while ...'"),
    ("passive with a preposition", "", r"\b(is|are|was|were|be|been|being) (waited|looked|cared|accounted) for\b", re.I, "name the actor"),
    ("idiom", "", r"\b(all the same|as it were|so to speak|once and for all|in one go|let(s|ting)? go of|brings? about|comes? to nothing|holds? up|behind the back"  # prose: counterexample
                  r"|lands? on its feet|gets? in the way|in the way of|at hand|sees? to it|makes? do|come what may|by and by|as good as|on its own account)\b", re.I,  # prose: counterexample
     "use the literal words"),
    ("two words for one thing", "", r"\b((?<!transfer\.)armed|arms a|arming)\b", 0, "a transfer is submitted"),
    ("summary", "name", r"^SUMMARY: (?!(Gets|Represents|Specifies|Submits|Initializes|Occurs|Provides)\b)(?![A-Z][a-z]+s\b)", 0,
     "begin with a verb: Gets, Represents, Specifies, Submits, Occurs when"),
    ("summary", "name", r"^SUMMARY: (This|Its|Always|Bytes|Transfers|Packets|Calls of|Events|Devices|Tests of|Options|Flags|Names|Errors|Statistics|Results|Methods)\b(?! (a|an|the|each|every|that|whether) )",
     0, "begin with a verb: Gets, Represents, Specifies, Submits, Occurs when"),
]]

MARKER = "prose: counterexample"
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')]*\s+(?=[A-Z\"'(\d`])")
LOOKS_LIKE_SENTENCE = re.compile(r"[A-Za-z',]+( [A-Za-z',]+){3}")
CODE = re.compile(  # matches comments, strings and characters in C and C#
    r'(?P<raw>\$*("{3,}).*?\2"*)|(?P<doc>///(?!/)[^\n]*)|(?P<line>//[^\n]*)|(?P<block>/\*.*?\*/)|(?P<verbatim>\$?@\$?"(?:[^"]|"")*")'
    r'|(?P<filled>\$"(?:\\.|\{\{|\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|[^"\\\n{])*")|(?P<text>"(?:\\.|[^"\\\n])*")|(?P<char>\'(?:\\.|[^\'\\\n])+\')', re.S)
TEST_NAME = re.compile(r"\b(?:void|Task|bool)\s+([A-Z][A-Za-z0-9]*(?:_[A-Za-z0-9]+){3,})\s*\(")
VALUE = re.compile(r"(\s*\[[^\n]*\])*\s*(\w+\s*(=[^;>]*?)?(,|\n\s*\})|((private|public|internal|protected|static|readonly|const|volatile|fixed|required|unsafe) )+[^(){};=]+(;|= ))")  # matches enum members and fields
DOC_TAG = re.compile(r"<(/?)(summary|remarks|param|typeparam|returns|value|exception|example|para|list|listheader|item|term|description|inheritdoc|members|member)\b([^>]*?)/?>")


class Text:
    """Represents one paragraph: its kind, its words, and the line of each of its characters."""

    def __init__(self, kind, text, line):
        self.kind, self.text, self.lines = kind, "", []
        self.add(text, line)

    def add(self, text, line):
        for number, part in enumerate(text.split("\n")):
            self.text += (" " if self.text and number + len(self.text) else "") + part
            self.lines += [line + number] * (len(self.text) - len(self.lines))

    def sentences(self):
        start = 0
        for end in [*(match.end() for match in SENTENCE_END.finditer(self.text)), len(self.text)]:
            sentence = " ".join(self.text[start:end].split())
            if sentence:
                yield self.lines[min(start, len(self.lines) - 1)], sentence
            start = end


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def plain(text):
    """Replaces inline markup with the words that a reader sees."""
    text = re.sub(r'<see(?:also)? (?:cref|href|langword)="(?:[A-Z]:)?([^"]*)"\s*/>', lambda match: match[1].split("(")[0], text)
    text = re.sub(r'<(?:paramref|typeparamref) name="([^"]*)"\s*/>', r"\1", text)
    return html.unescape(re.sub(r"<[^<>]*>", "", text))


def read_documentation(lines, code):
    """Yields the paragraphs of a documentation comment, given as lines with their numbers and the code that follows."""
    is_value = VALUE.match(code)
    text = "\n".join(words for _, words in lines)
    first = lines[0][0]
    text = re.sub(r"<code\b.*?</code>", lambda match: "\n" * match[0].count("\n"), text, flags=re.S)
    kind, start = "documentation", 0
    for tag in [*DOC_TAG.finditer(text), None]:
        part = text[start:tag.start() if tag else len(text)]
        if part.strip():
            leading = len(part) - len(part.lstrip())
            prefix = "SUMMARY: " if kind == "summary" and not is_value else ""
            yield Text(kind, prefix + re.sub(r"[^\S\n]+", " ", plain(part.strip())), first + line_of(text, start + leading) - 1)
            if kind == "summary":
                kind = "documentation"  # the later paragraphs of a summary need not begin with a verb
        if tag:
            start = tag.end()
            if tag[2] in ("param", "typeparam", "returns", "value", "exception"):
                kind = "documentation" if tag[1] else "param"
            elif tag[2] == "summary":
                kind = "documentation" if tag[1] else "summary"


def read_message(text, line):
    text = re.sub(r"\{[^{}]*(\{[^{}]*\}[^{}]*)*\}", "X", text)
    if LOOKS_LIKE_SENTENCE.search(text):
        for number, part in enumerate(re.split(r"\n[^\S\n]*\n", text)):
            if LOOKS_LIKE_SENTENCE.search(part):
                yield Text("message", part.replace("\\n", " "), line + line_of(text, text.find(part)) - 1)


def read_code(text):
    comment = documentation = message = None
    end = documented = 0
    for match in CODE.finditer(text):
        line, between = line_of(text, match.start()), text[end:match.start()]
        end = match.end()
        alone = text[text.rfind("\n", 0, match.start()) + 1:match.start()].strip() == ""
        if documentation and not (match["doc"] and between.strip() == ""):
            yield from read_documentation(documentation, text[documented:])
            documentation = None
        if comment and not (match["line"] and alone and between.strip() == "" and between.count("\n") == 1):
            yield comment
            comment = None
        if message and not ((match["text"] or match["filled"]) and between.strip() == "+"):
            yield from read_message(*message)
            message = None
        if match["doc"]:
            documentation = [*(documentation or []), (line, match["doc"][3:])]
            documented = end
        elif match["line"]:
            words = match["line"].lstrip("/").strip()
            if comment:
                comment.add(words, line)
            elif words:
                comment = Text("comment", words, line)
        elif match["block"]:
            words = "\n".join(re.sub(r"^\s*\*", "", part) for part in match["block"].strip("/*").split("\n"))
            for part in re.split(r"\n\s*\n", words):
                if part.strip():
                    yield Text("comment", part.strip(), line + line_of(words, words.find(part)) - 1)
        elif match["text"] or match["filled"]:
            words = match[0].lstrip("$")[1:-1]
            message = (message[0] + words, message[1]) if message else (words, line)
        elif match["raw"] or match["verbatim"]:
            yield from read_message(match[0].strip('$@"'), line)
    if documentation:
        yield from read_documentation(documentation, text[documented:])
    if comment:
        yield comment
    if message:
        yield from read_message(*message)
    for match in TEST_NAME.finditer(text):
        yield Text("name", match[1].replace("_", " "), line_of(text, match.start(1)))


def read_script(text):
    comment = None
    for line, words in enumerate(text.split("\n"), 1):
        found = re.match(r"\s*#(?!!)\s?(.*)", words)
        if found and found[1].strip():
            if comment:
                comment.add(found[1], line)
            else:
                comment = Text("comment", found[1], line)
            continue
        if comment:
            yield comment
            comment = None
        for found in re.finditer(r'"((?:\\.|[^"\\])*)"|\'([^\']*)\'|\s#\s(.*)$', words):
            if found[3]:
                yield Text("comment", found[3], line)
            else:
                yield from read_message(found[1] or found[2] or "", line)
    if comment:
        yield comment


def read_markup(text):
    for match in re.finditer(r'<!--(.*?)-->|>([^<>]*)<|\s(?:Text|Message|Description|name)="([^"]*)"', text, re.S):
        words = match[1] or match[2] or match[3] or ""
        if LOOKS_LIKE_SENTENCE.search(words):
            leading = len(words) - len(words.lstrip())
            group = 1 if match[1] else 2 if match[2] else 3
            yield Text("comment", html.unescape(words.strip()), line_of(text, match.start(group) + leading))


def read_document(text):
    """Yields the paragraphs, list items, cells and headings of Markdown, and the comments in its C# programs."""
    summary = re.fullmatch(r"<summary>(.*)</summary>", text.strip())
    if summary:
        yield Text("summary", "SUMMARY: " + summary[1], 1)
        return
    paragraph, fence = None, None
    for line, words in enumerate([*text.split("\n"), ""], 1):
        mark = re.match(r"\s*(```+|~~~+)\s*(\w*)", words)
        if fence:
            if mark and words.strip() == fence[0]:
                if fence[1] in ("csharp", "cs"):
                    for found in read_code("\n" * fence[2] + fence[3]):
                        yield found
                fence = None
            else:
                fence[3] += words + "\n"
            continue
        item = re.match(r"\s*([-*]|\d+\.)\s+(.*)", words)
        if paragraph and (mark or item or not words.strip() or words.startswith(("#", "|", "<!--"))):
            yield paragraph
            paragraph = None
        if mark:
            fence = [mark[1], mark[2], line, ""]
        elif words.startswith("#"):
            yield Text("heading", words.strip("# "), line)
        elif words.startswith("|"):
            for cell in words.strip("|").split("|"):
                if cell.strip():
                    yield Text("cell", re.sub(r"[`*]", "", cell.strip()), line)
        elif (words.startswith("<!--") and words.endswith("-->")) or not words.strip():
            pass
        else:
            words = re.sub(r"\]\([^)]*\)", "", re.sub(r"[`*]|\[(?=[^\]]*\]\()", "", item[2] if item else words.strip()))
            if paragraph:
                paragraph.add(words, line)
            else:
                paragraph = Text("document", words, line)


def read_names(text):
    for line, words in enumerate(text.split("\n"), 1):
        if ";" in words:
            yield Text("message", words.split(";", 1)[1], line)


def reader_of(path):
    name, ending = os.path.basename(path), os.path.splitext(path)[1]
    if path == "-" or ending == ".md" or name == "NOTICE":
        return read_document
    if ending in (".cs", ".c", ".h"):
        return None if name.endswith(".g.cs") else read_code
    if ending in (".sh", ".py") or name in ("init", "run", ".editorconfig", ".globalconfig", ".gitignore", ".gitattributes"):
        return read_script
    if ending in (".csproj", ".props", ".targets", ".xml"):
        return read_markup
    if ending == ".json" and "settings" in name:
        return read_script
    return read_names if name == "BannedSymbols.txt" else None


def covered(lines):
    """Returns the lines that are marked as counterexamples."""
    found, alone = set(), False
    for line, words in enumerate(lines, 1):
        if MARKER in words:
            found.add(line)
            alone = re.fullmatch(r"\W*" + MARKER + r"\W*", words) is not None
        elif not words.strip():
            alone = False
        elif alone:
            found.add(line)
    return found


def main(arguments):
    lists = arguments[:1] == ["--list"]
    failed = False
    for path in arguments[lists:]:
        reader = reader_of(path)
        if not reader or not (path == "-" or os.path.isfile(path)):
            continue
        with sys.stdin if path == "-" else open(path, encoding="utf-8") as file:
            text = file.read()
        skipped = covered(text.split("\n"))
        for paragraph in reader(text):
            if skipped.intersection(paragraph.lines):
                continue
            for line, sentence in paragraph.sentences():
                shown = sentence.removeprefix("SUMMARY: ")
                if lists:
                    print(f"{path}:{line}: {shown}")
                    continue
                for name, exempt, pattern, advice in RULES:
                    if paragraph.kind not in exempt and pattern.search(sentence if name == "summary" else shown):
                        print(f"{path}:{line}: {shown}: {name} ({advice})")
                        failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

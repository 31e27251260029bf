#!/usr/bin/env bash
# Reports sentences that break a prose rule of CONTRIBUTING.md. The script checks only the rules that are broken most often. Each line of the output has the
# form FILE:LINE: SENTENCE: RULE. If there are such sentences, the exit code is 1. Without arguments, the script reads every text of the repository: documents,
# comments in the code (including documentation comments), messages, and test names that are sentences.
#
#   eng/prose.sh                  the whole repository
#   eng/prose.sh FILE...          these files
#   eng/prose.sh -                text from standard input, as a document
#   eng/prose.sh --list [FILE...] print every sentence that the script reads, with its file and line
#
# eng/prose.py contains the rules. To use a sentence as an example of a broken rule, write the marker "prose: counterexample" on its line. The script
# does not check a paragraph that contains such a line. If a comment consists only of the marker, the script does not check the lines up to the next
# blank line.
set -euo pipefail
if [[ ${1-} == - ]]; then exec python3 "$(dirname "$0")/prose.py" -; fi
list=()
if [[ ${1-} == --list ]]; then list=(--list) && shift; fi
if (($#)); then exec python3 "$(dirname "$0")/prose.py" "${list[@]}" "$@"; fi
cd "$(dirname "$0")/.."
git ls-files -z --cached --others --exclude-standard |
  xargs -0 python3 eng/prose.py "${list[@]}"

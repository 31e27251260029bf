#!/usr/bin/env bash
# Reports sentences of the repository that break the most common rules of CONTRIBUTING for prose, each as FILE:LINE: SENTENCE: RULE, and exits
# with 1 if it finds any. Without arguments it reads every text of the repository: documents, documentation and comments of the code, messages,
# and test names that are sentences.
#
#   eng/prose.sh                  the whole repository
#   eng/prose.sh FILE...          these files
#   eng/prose.sh -                text from standard input, as a document
#   eng/prose.sh --list [FILE...] every sentence that it reads, with its place
#
# The rules are in eng/prose.py. A sentence that is an example of a broken rule has "prose: counterexample" on its line. A comment with only these
# words covers the lines up to the next blank line.
set -euo pipefail
if [[ ${1-} == - ]]; then exec python3 "$(dirname "$0")/prose.py" -; fi
list=()
if [[ ${1-} == --list ]]; then list=(--list) && shift; fi
if (($#)); then exec python3 "$(dirname "$0")/prose.py" "${list[@]}" "$@"; fi
cd "$(dirname "$0")/.."
git ls-files -z --cached --others --exclude-standard |
  xargs -0 python3 eng/prose.py "${list[@]}"

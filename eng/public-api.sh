#!/usr/bin/env bash
# Determines the public API of the packages from the sources, and writes it to src/*/PublicAPI.Unshipped.txt. Read the diff before you commit it.
# usage: eng/public-api.sh
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
projects=(Native.LibUsb Native.LibUsb.Testing)
work=$(mktemp -d)

# The analyzer reports each public member that is missing from the files. The script empties the files before it runs the analyzer, so that the
# analyzer reports all public members. If the sources do not compile, the script restores the files.
for project in "${projects[@]}"; do
  cp "src/$project/PublicAPI.Unshipped.txt" "$work/$project.before"
done
restore() {
  for project in "${projects[@]}"; do
    if [ -e "$work/$project.before" ]; then cp "$work/$project.before" "src/$project/PublicAPI.Unshipped.txt"; fi
  done
  rm -rf "$work"
}
trap restore EXIT
for project in "${projects[@]}"; do
  echo '#nullable enable' >"src/$project/PublicAPI.Unshipped.txt"
done

for project in "${projects[@]}"; do
  dotnet build "src/$project" -c Release -v quiet -clp:ErrorsOnly -p:CheckPublicApi=true -p:TreatWarningsAsErrors=false \
    -p:MSBuildTreatWarningsAsErrors=false "-p:PublicApiReports=$work"
done

for project in "${projects[@]}"; do
  grep -oE '"APIName": "([^"\\]|\\.)*"' "$work/$project.sarif" | sed -E 's/^"APIName": "(.*)"$/\1/; s/\\(["\\])/\1/g' \
    | LC_ALL=C sort -u >"$work/$project.api" || { echo "public-api: $project has no public API" >&2; exit 1; }
done
for project in "${projects[@]}"; do
  { echo '#nullable enable'; cat "$work/$project.api"; } >"src/$project/PublicAPI.Unshipped.txt"
  rm "$work/$project.before"
  echo "public-api: $(wc -l <"$work/$project.api") entries of $project"
done

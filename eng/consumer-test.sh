#!/usr/bin/env bash
# Tests the packages that eng/pack.sh writes, in the way an external program uses them: in projects outside of this repository, with an empty package
# cache. The script publishes one program in every supported way, for example as a single file or with Native AOT, and runs it. For each published
# program, the script prints the size, the required libraries and the start time. Packages that eng/pack.sh does not write come from the NuGet sources
# that are configured on this machine.
# usage: eng/consumer-test.sh [NAME]...          (without a NAME, the script runs all cases: jit library single-file tools xunit2 xunit3 nunit
# platform aot-dynamic aot-direct aot-static aot-full aot-library)
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
unset CI LD_PRELOAD
root=$PWD packages=$PWD/artifacts/packages

fail() { echo "consumer-test: $*" >&2; exit 1; }

cases=("$@")
if ((${#cases[@]} == 0)); then cases=(jit library single-file tools xunit2 xunit3 nunit platform aot-dynamic aot-direct aot-static aot-full aot-library); fi
case $(uname -m) in x86_64) rid=linux-x64 ;; aarch64) rid=linux-arm64 ;; *) fail "there is no runtime package for this processor" ;; esac

version_of() { # PACKAGE
  local file
  for file in "$packages/$1".[0-9]*.nupkg; do
    if [ -e "$file" ]; then file=${file##*/"$1".}; echo "${file%.nupkg}"; return; fi
  done
  fail "$packages has no $1: run eng/pack.sh"
}
library=$(version_of Native.LibUsb)
testing=$(version_of Native.LibUsb.Testing)
runtime=$(version_of "Native.LibUsb.Runtime.$rid")
usbcap=$(version_of usbcap)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export NUGET_PACKAGES=$work/cache
cat >"$work/nuget.config" <<END
<configuration>
  <packageSources>
    <add key="packed" value="$packages" />
  </packageSources>
</configuration>
END

# Writes a project as a user of the packages would: with properties of the SDK, references, and LibUsbLink.
project() { # NAME PROPERTIES ITEMS
  mkdir -p "$work/$1"
  cp "$root/tests/consumer/Program.cs" "$work/$1/"
  cat >"$work/$1/$1.csproj" <<END
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
    <Nullable>enable</Nullable>
    $2
  </PropertyGroup>
  <ItemGroup>
    $3
  </ItemGroup>
</Project>
END
}
reference_library="<PackageReference Include=\"Native.LibUsb\" Version=\"$library\" />"
reference_runtime="<PackageReference Include=\"Native.LibUsb.Runtime.$rid\" Version=\"$runtime\" />"

publish() { # NAME [OPTION]...
  local name=$1 log=$work/$1.log
  shift
  if ! dotnet publish "$work/$name" -c Release -o "$work/$name/out" -v quiet -nodeReuse:false "$@" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "$name cannot be published"
  fi
  if grep -E 'warning( [A-Z]+[0-9]+)?:' "$log" >&2; then fail "publishing $name printed warnings"; fi
}

# Runs a program in an environment with USB support but without USB devices. In this environment, /dev/bus/usb contains only an empty folder. If
# /dev/bus/usb were empty or missing, as it is in many containers, a libusb without udev would fail. Only root can set up the environment. Without root,
# the program runs directly on this machine.
isolated=false
if ((EUID == 0)) && unshare -m mount -t tmpfs none /sys/bus 2>/dev/null; then isolated=true; fi
on_empty_bus() { # PROGRAM [ARGUMENT]...
  if ! $isolated; then "$@"; return; fi
  # shellcheck disable=SC2016 # the inner shell replaces the names
  unshare -m sh -ec '
    dev=$1
    shift
    mount -t tmpfs none /sys/bus
    mkdir -p /sys/bus/usb/devices "$dev"
    mount -t tmpfs none "$dev"
    mkdir -p "$dev/bus/usb/001"
    for node in null zero full random urandom tty; do : >"$dev/$node"; mount --bind "/dev/$node" "$dev/$node"; done
    mount --rbind "$dev" /dev
    exec "$@"' sh "$work/dev" "$@"
}

devices='[0-9]+'
if $isolated; then devices=0; fi

# Runs a program and compares its output with the expected lines.
run() { # NAME LINE...
  local name=$1 program=$work/$1/out/$1 output line
  shift
  output=$(on_empty_bus "$program" 2>&1) || fail "$name failed: $output"
  for line; do grep -qE "^$line\$" <<<"$output" || fail "$name printed no line '$line': $output"; done
}

# Prints the shortest of ten start times, in milliseconds.
start_time() { # PROGRAM
  # shellcheck disable=SC2016 # the inner shell replaces the names
  on_empty_bus bash -c '
    shortest=999999999
    for ((i = 0; i < 10; i++)); do
      begin=${EPOCHREALTIME/[.,]/}
      "$1" >/dev/null
      time=$((${EPOCHREALTIME/[.,]/} - begin))
      if ((time < shortest)); then shortest=$time; fi
    done
    printf "%d.%d" $((shortest / 1000)) $((shortest % 1000 / 100))' bash "$1"
}

report() { # NAME
  local program=$work/$1/out/$1 needs
  needs=$(ldd "$program" 2>&1 | sed -nE 's/^\s*(lib(usb|udev)[^ ]*) => .*/\1/p; s/^\s*(statically linked|not a dynamic executable)$/no library/p' | sort | tr '\n' ' ')
  printf '%-12s %10d bytes  starts in %6s ms  needs %s\n' "$1" "$(stat -c %s "$program")" "$(start_time "$program")" "${needs:-neither libusb nor libudev}"
}

needs_none() { # NAME LIBRARY...
  local name=$1 library
  shift
  for library; do
    if ldd "$work/$name/out/$name" 2>&1 | grep -q "$library"; then fail "$name needs $library"; fi
  done
}

# Writes a test project in a separate folder, as a user of the packages would write it. The tests create virtual buses, and the project contains no
# special settings for them.
test_project() { # NAME TESTS PROPERTIES PACKAGE=VERSION...
  local name=$1 tests=$2 properties=$3 package items=
  shift 3
  for package; do items+="<PackageReference Include=\"${package%=*}\" Version=\"${package#*=}\" />"; done
  mkdir -p "$work/$name"
  cp "$root/tests/consumer/tests/Loopback.cs" "$root/tests/consumer/tests/$tests.cs" "$work/$name/"
  cat >"$work/$name/DriverTests.csproj" <<END
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
    <Nullable>enable</Nullable>
    $properties
  </PropertyGroup>
  <ItemGroup>
    $reference_library $reference_runtime <PackageReference Include="Native.LibUsb.Testing" Version="$testing" />
    $items
  </ItemGroup>
</Project>
END
}

# Runs a command in the folder of a test project, and checks that the output has the line that reports two passed tests.
run_tests() { # NAME LINE COMMAND...
  local name=$1 line=$2 log=$work/$1.log
  shift 2
  if ! (cd "$work/$name" && "$@") >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "the tests of $name fail with '$*'"
  fi
  if grep -E 'warning( [A-Z]+[0-9]+)?:' "$log" >&2; then fail "'$*' in $name printed warnings"; fi
  grep -qE "$line" "$log" || { tail -n 20 "$log" >&2; fail "'$*' in $name did not run two tests"; }
  echo "$name: 2 tests pass with '$*'"
}
vstest=(Microsoft.NET.Test.Sdk=18.11.0 xunit.runner.visualstudio=4.0.1)
of_vstest='Failed: +0, Passed: +2,'
of_platform='[Tt]otal: +2\b'

for case in "${cases[@]}"; do
  case $case in
    jit) # the program uses the runtime of the SDK, and the package's libusb, which comes before the system's
      project jit "" "$reference_library $reference_runtime"
      publish jit
      run jit "version $runtime" "static False" "path $work/jit/out/runtimes/$rid/native/libusb-1\.0\.so\.0" "newer True" "unknown False" "devices $devices"
      "$work/jit/out/jit" trace | grep -q ' in /_/src/Native.LibUsb/Platform/UsbLibrary.cs:line ' || fail "stack traces show no sources"
      ;;
    library | aot-library) # the program refers to a library, and only the library refers to the packages
      mkdir -p "$work/wrapper"
      cat >"$work/wrapper/wrapper.csproj" <<END
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup>$reference_library $reference_runtime</ItemGroup>
</Project>
END
      if [ "$case" = library ]; then
        project library "" '<ProjectReference Include="../wrapper/wrapper.csproj" />'
        publish library
        run library "version $runtime" "static False" "path $work/library/out/runtimes/$rid/native/libusb-1\.0\.so\.0" "newer True" "unknown False" "devices $devices"
      else
        project aot-library "<PublishAot>true</PublishAot><LibUsbLink>static</LibUsbLink>" '<ProjectReference Include="../wrapper/wrapper.csproj" />'
        publish aot-library -r "$rid"
        run aot-library "version $runtime" "static True" "path " "newer True" "unknown False" "devices $devices"
        needs_none aot-library libusb libudev
      fi
      ;;
    single-file) # one trimmed file contains the program, the runtime and libusb
      project single-file "<PublishSingleFile>true</PublishSingleFile><SelfContained>true</SelfContained><PublishTrimmed>true</PublishTrimmed>
    <IncludeNativeLibrariesForSelfExtract>true</IncludeNativeLibrariesForSelfExtract><RuntimeIdentifier>$rid</RuntimeIdentifier>" "$reference_library $reference_runtime"
      publish single-file
      export DOTNET_BUNDLE_EXTRACT_BASE_DIR=$work/extracted
      run single-file "version $runtime" "static False" "path $work/extracted/.*/libusb-1\.0\.so\.0" "newer True" "unknown False" "devices $devices"
      if [ -e "$work/single-file/out/libusb-1.0.so.0" ]; then fail "libusb lies beside the single file"; fi
      ;;
    aot-dynamic)
      project aot-dynamic "<PublishAot>true</PublishAot>" "$reference_library $reference_runtime"
      publish aot-dynamic -r "$rid"
      run aot-dynamic "version $runtime" "static False" "path $work/aot-dynamic/out/libusb-1\.0\.so\.0" "newer True" "unknown False" "devices $devices"
      needs_none aot-dynamic libusb
      ;;
    aot-direct)
      project aot-direct "<PublishAot>true</PublishAot><LibUsbLink>direct</LibUsbLink>" "$reference_library $reference_runtime"
      publish aot-direct -r "$rid"
      run aot-direct "version $runtime" "static False" "path $work/aot-direct/out/libusb-1\.0\.so\.0" "newer True" "unknown False" "devices $devices"
      ldd "$work/aot-direct/out/aot-direct" | grep -q "libusb-1.0.so.0 => $work/aot-direct/out/" || fail "the loader does not bind aot-direct to the libusb beside it"
      ;;
    aot-static)
      project aot-static "<PublishAot>true</PublishAot><LibUsbLink>static</LibUsbLink>" "$reference_library $reference_runtime"
      publish aot-static -r "$rid"
      run aot-static "version $runtime" "static True" "path " "newer True" "unknown False" "devices $devices"
      needs_none aot-static libusb libudev
      if [ -e "$work/aot-static/out/libusb-1.0.so.0" ]; then fail "a libusb lies beside the program that contains one"; fi
      ;;
    aot-full) # the program needs neither a loader nor a C library
      project aot-full "<PublishAot>true</PublishAot><LibUsbLink>static</LibUsbLink><StaticExecutable>true</StaticExecutable><LinkerFlavor>lld</LinkerFlavor>
    <InvariantGlobalization>true</InvariantGlobalization>" "$reference_library $reference_runtime"
      publish aot-full -r "$rid"
      run aot-full "version $runtime" "static True" "path " "newer True" "unknown False" "devices $devices"
      ldd "$work/aot-full/out/aot-full" 2>&1 | grep -qE 'statically linked|not a dynamic executable' || fail "aot-full is not fully static"
      ;;
    tools)
      for tool in usbcap usbvbus; do
        dotnet tool install "$tool" --version "$usbcap" --tool-path "$work/tools" --configfile "$work/nuget.config" >"$work/tools.log" 2>&1 \
          || { tail -n 20 "$work/tools.log" >&2; fail "$tool cannot be installed"; }
        "$work/tools/$tool" --help >"$work/tools.log" || fail "$tool does not start"
      done
      echo "tools        usbcap and usbvbus $usbcap can be installed and start"
      continue
      ;;
    xunit2)
      test_project xunit2 XunitTests "" "${vstest[@]}" xunit=2.9.3
      run_tests xunit2 "$of_vstest" dotnet test
      continue
      ;;
    xunit3)
      test_project xunit3 XunitTests "<OutputType>Exe</OutputType>" "${vstest[@]}" xunit.v3.mtp-off=4.0.2
      run_tests xunit3 "$of_vstest" dotnet test
      run_tests xunit3 "$of_platform" dotnet run
      continue
      ;;
    nunit)
      test_project nunit NUnitTests "" Microsoft.NET.Test.Sdk=18.11.0 NUnit=4.4.0 NUnit3TestAdapter=6.3.1
      run_tests nunit "$of_vstest" dotnet test
      continue
      ;;
    platform) # global.json selects Microsoft.Testing.Platform for a whole folder
      test_project platform XunitTests "<OutputType>Exe</OutputType>" xunit.v3.mtp-v2=4.0.2
      echo '{ "test": { "runner": "Microsoft.Testing.Platform" } }' >"$work/platform/global.json"
      run_tests platform "$of_platform" dotnet test
      run_tests platform "$of_platform" dotnet run
      continue
      ;;
    *) fail "there is no case $case" ;;
  esac
  report "$case"
done

using System.Runtime.InteropServices;

namespace Native.LibUsb.Tests.Linking;

/// <summary>
/// Tests programs that cannot be linked with libusb. Instead of errors from the linker, the build must report one line that contains the remedy.
/// </summary>
public sealed class LinkErrorTests : IDisposable
{
    private const int ElfMachine = 18;
    private const string GetVersion = "int libusb_get_version(void) { return 0; }";
    private const string CallUdev = "int udev_new(void); int libusb_get_version(void) { return udev_new(); }";

    private readonly LinkProject _project = new();

    public void Dispose() => _project.Dispose();

    [Fact]
    public void An_unknown_value()
    {
        _project["LibUsbLink"] = "statically";
        Assert.Equal("LIBUSB001: LibUsbLink is 'statically': set it to dynamic, direct or static.", _project.FindError());
    }

    [Theory]
    [InlineData("direct")]
    [InlineData("static")]
    public void A_program_that_is_compiled_at_run_time(string link)
    {
        _project["LibUsbLink"] = link;
        _project["PublishAot"] = "false";
        Assert.StartsWith($"LIBUSB002: LibUsbLink is '{link}', which needs PublishAot: set PublishAot to true, or LibUsbLink to dynamic.", _project.FindError(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dynamic")]
    [InlineData("direct")]
    public void A_fully_static_executable_that_is_to_load_libusb(string link)
    {
        _project["LibUsbLink"] = link;
        _project["StaticExecutable"] = "true";
        string error = _project.FindError();
        Assert.StartsWith($"LIBUSB003: LibUsbLink is '{link}', and a fully static executable", error, StringComparison.Ordinal);
        Assert.EndsWith("set LibUsbLink to static.", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("static", "no archive libusb-1.0.a for")]
    [InlineData("direct", "no library libusb-1.0 for")]
    public void No_libusb_to_link(string link, string text)
    {
        _project["LibUsbLink"] = link;
        _project["SysRoot"] = _project.File("empty");
        string error = _project.FindError();
        Assert.StartsWith($"LIBUSB004: LibUsbLink is '{link}', and {text} {RuntimeInformation.RuntimeIdentifier} was found: add the package "
            + $"Native.LibUsb.Runtime.{RuntimeInformation.RuntimeIdentifier} to the program, install libusb for development (Debian: libusb-1.0-0-dev)", error, StringComparison.Ordinal);
        Assert.Contains("Files searched for: ", error, StringComparison.Ordinal);
    }

    // Without this error, the build would select the archive of this system, and the linker would fail.
    [Fact]
    public void The_archive_of_a_glibc_system_for_a_musl_target()
    {
        _project["LibUsbLink"] = "static";
        _project["RuntimeIdentifier"] = "linux-musl-" + RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        string error = _project.FindError();
        Assert.StartsWith("LIBUSB004: ", error, StringComparison.Ordinal);
        Assert.Contains("build libusb with the compiler of musl", error, StringComparison.Ordinal);
        Assert.Contains("An archive for glibc does not suffice.", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("__memcpy_chk")]
    [InlineData("__isoc23_strtol")]
    public void An_archive_for_glibc_and_a_musl_target(string function)
    {
        _project["LibUsbLink"] = "static";
        _project["RuntimeIdentifier"] = "linux-musl-" + RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        _project["LibUsbLinkFile"] = _project.Archive($"int {function}(void); int libusb_get_version(void) {{ return {function}(); }}");
        string error = _project.FindError();
        Assert.StartsWith("LIBUSB007: ", error, StringComparison.Ordinal);
        Assert.Contains($"is built for glibc (it calls {function}), and the program for musl: build libusb with the compiler of musl", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_does_not_exist()
    {
        _project["LibUsbLink"] = "static";
        _project["LibUsbLinkFile"] = "/no/such/libusb-1.0.a";
        Assert.Equal("LIBUSB005: LibUsbLinkFile names '/no/such/libusb-1.0.a', which does not exist: correct the path.", _project.FindError());
    }

    [Fact]
    public void An_archive_for_another_processor()
    {
        (byte machine, string name) = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? ((byte)62, "x64") : ((byte)183, "arm64");
        _project["LibUsbLink"] = "static";
        _project["LibUsbLinkFile"] = _project.Archive(GetVersion, bytes => bytes[ElfMachine] = machine);
        string error = _project.FindError();
        Assert.StartsWith("LIBUSB006: ", error, StringComparison.Ordinal);
        Assert.Contains($"is built for linux {name}, and the program for {RuntimeInformation.RuntimeIdentifier}: add the package", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_shared_library_where_an_archive_is_needed()
    {
        string path = _project.File("libusb-1.0.so");
        CCompiler.Run(GetVersion + "\n", "-shared", "-fPIC", "-o", path);
        _project["LibUsbLink"] = "static";
        _project["LibUsbLinkFile"] = path;
        Assert.Equal($"LIBUSB008: LibUsbLink is 'static', and {path} is no archive: set LibUsbLinkFile to a libusb-1.0.a.", _project.FindError());
    }

    [Fact]
    public void An_archive_with_udev_for_a_fully_static_executable()
    {
        _project["LibUsbLink"] = "static";
        _project["StaticExecutable"] = "true";
        _project["LibUsbLinkFile"] = _project.Archive(CallUdev);
        string error = _project.FindError();
        Assert.StartsWith("LIBUSB009: ", error, StringComparison.Ordinal);
        Assert.Contains("needs libudev, of which there is no static library", error, StringComparison.Ordinal);
        Assert.Contains($"add the package Native.LibUsb.Runtime.{RuntimeInformation.RuntimeIdentifier}", error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_archive_with_udev_and_no_libudev_to_link()
    {
        string driver = _project.File("driver"); // simulates a linker that finds no library
        System.IO.File.WriteAllText(driver, "#!/bin/sh\nfor argument; do case $argument in -print-file-name=*) echo \"${argument#*=}\" ;; esac; done\n");
        if (!OperatingSystem.IsWindows())
            System.IO.File.SetUnixFileMode(driver, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _project["LibUsbLink"] = "static";
        _project["CppCompilerAndLinker"] = driver;
        _project["LibUsbLinkFile"] = _project.Archive(CallUdev);
        string error = _project.FindError();
        Assert.StartsWith("LIBUSB010: ", error, StringComparison.Ordinal);
        Assert.Contains("needs libudev, which is not there to be linked: install it for development (Debian: libudev-dev)", error, StringComparison.Ordinal);
    }
}

using System.Runtime.InteropServices;
using Native.LibUsb.Tests.Interop;

namespace Native.LibUsb.Tests.Loading;

/// <summary>Tests the message for a libusb that cannot be used. The message is one line that contains the file, the loader's reason and the remedy.</summary>
public sealed class UnusableLibraryTests
{
    private const int ElfClass = 4, ElfMachine = 18;

    [Fact]
    public void Without_a_libusb_the_message_names_the_package_to_install() => Isolated.Run(Fail, string.Join('|',
        "/no/such/libusb-1.0.so.0",
        "libusb 1.0 was not found: install it (Debian: libusb-1.0-0,",
        "UsbLibrary.SetPath",
        "Tried: /no/such/libusb-1.0.so.0 (cannot open shared object file: No such file or directory)."));

    [Fact]
    public void Another_word_size_is_recognised()
    {
        using var fake = new FakeLibrary(new Version(1, 0, 26));
        Change(fake.Path, ElfClass, 1);
        Change(fake.Path, ElfMachine, 3);
        Isolated.Run(Fail, string.Join('|', fake.Path, $"The libusb at {fake.Path} is built for x86 and this process is", "install or bundle the one for", "(wrong ELF class: ELFCLASS32)"));
    }

    // For such a file, glibc reports that the file is missing.
    [Fact]
    public void Another_processor_of_the_same_word_size_is_recognised()
    {
        (byte machine, string name) = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? ((byte)62, "x64") : ((byte)183, "arm64");
        using var fake = new FakeLibrary(new Version(1, 0, 26));
        Change(fake.Path, ElfMachine, machine);
        Isolated.Run(Fail, string.Join('|', fake.Path, $"The libusb at {fake.Path} is built for {name} and this process is", "install or bundle the one for", $"Tried: {fake.Path} ("));
    }

    [Fact]
    public void A_dependency_that_is_missing_is_named()
    {
        using var folder = new TemporaryFolder();
        string dependency = folder.File("libudev-of-the-test.so.1"), path = folder.File("libusb-1.0.so.0");
        CCompiler.Run("int udev_new(void) { return 0; }\n", "-shared", "-fPIC", "-Wl,-soname,libudev-of-the-test.so.1", "-o", dependency);
        CCompiler.Run("int udev_new(void); int libusb_get_version(void) { return udev_new(); }\n", "-shared", "-fPIC", "-Wl,--no-as-needed", "-o", path, dependency);
        File.Delete(dependency);
        Isolated.Run(Fail, string.Join('|', path, $"The libusb at {path} needs libudev-of-the-test.so.1, which is missing: install it",
            "(libudev-of-the-test.so.1: cannot open shared object file: No such file or directory)"));
    }

    [Fact]
    public void A_file_that_is_no_library_is_named()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("libusb-1.0.so.0");
        File.WriteAllText(path, new string('x', 4096));
        Isolated.Run(Fail, string.Join('|', path, $"The libusb at {path} cannot be loaded: replace or remove the file.", "(invalid ELF header)"));
    }

    [Theory]
    [InlineData("1.0.22")]
    [InlineData("1.0.25")]
    public void A_libusb_that_is_too_old_is_refused_when_it_is_loaded(string version)
    {
        using var fake = new FakeLibrary(Version.Parse(version));
        string problem = $"libusb {version} at {fake.Path} is too old; 1.0.26 or newer is needed: update it, or name a newer file";
        Isolated.Run(Fail, string.Join('|', fake.Path, problem));
        Isolated.Run(FailWithResolver, string.Join('|', fake.Path, problem));
    }

    [Fact]
    public void The_oldest_libusb_that_is_supported_is_accepted()
    {
        using var fake = new FakeLibrary(new Version(1, 0, 26));
        Isolated.Run(Accept, fake.Path);
    }

    private static void Change(string path, int offset, byte value)
    {
        byte[] bytes = File.ReadAllBytes(path);
        bytes[offset] = value;
        File.WriteAllBytes(path, bytes);
    }

    private static void Fail(string pathAndTexts)
    {
        string[] parts = pathAndTexts.Split('|');
        UsbLibrary.SetPath(parts[0]);
        Check(parts[1..]);
    }

    private static void FailWithResolver(string pathAndTexts)
    {
        string[] parts = pathAndTexts.Split('|');
        UsbLibrary.SetResolver(() => NativeLibrary.Load(parts[0]));
        Check(parts[1..]);
    }

    private static void Check(string[] texts)
    {
        string message = Assert.Throws<DllNotFoundException>(() => UsbLibrary.Version.ToVersion()).Message;
        Assert.All(texts, text => Assert.Contains(text, message, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', message);
        Assert.False(UsbLibrary.IsLoaded);
    }

    private static void Accept(string path)
    {
        UsbLibrary.SetPath(path);
        Assert.Equal(new Version(1, 0, 26), UsbLibrary.Version.ToVersion());
    }
}

using System.Runtime.InteropServices;
using Native.LibUsb.Tests.Interop;

namespace Native.LibUsb.Tests.Loading;

/// <summary>Tests the order in which a program searches for libusb. docs/linking.md lists this order.</summary>
public sealed class SearchOrderTests
{
    // Each library has a different version. The test repeatedly removes the library that the program has loaded, until only the system's library is left.
    [Fact]
    public void The_choice_of_the_program_comes_first_and_the_systems_library_last()
    {
        using var program = new PublishedProgram();
        program.Publish("""
            if (args.Length > 1)
                Native.LibUsb.UsbLibrary.SetPath(args[1]);
            AppContext.SetData("NATIVE_DLL_SEARCH_DIRECTORIES", args[0]); // as the host does for the packages of the program
            Show();

            static void Show() => Console.WriteLine(Native.LibUsb.UsbLibrary.LoadedPath is null ? Native.LibUsb.UsbLibrary.Version.ToVersion() : throw new Exception());
            """);
        string chosen = Build(90, "chosen/libusb-chosen.so");
        string beside = Build(91, "out/libusb-1.0.so.0");
        string ofRuntimes = Build(92, $"out/runtimes/{RuntimeInformation.RuntimeIdentifier}/native/libusb-1.0.so.0");
        string packaged = Build(93, "package/libusb-1.0.so.0");

        Assert.Equal("1.0.90", Run(chosen));
        Assert.Equal("1.0.91", Run());
        File.Delete(beside);
        Assert.Equal("1.0.92", Run());
        File.Delete(ofRuntimes);
        Assert.Equal("1.0.93", Run());
        File.Delete(packaged);
        Assert.Equal(UsbLibrary.Version.ToVersion().ToString(), Run());

        string Build(int version, string name)
        {
            string path = program.File(name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            FakeLibrary.Build(new Version(1, 0, version), "", path);
            return path;
        }

        string Run(params string[] choice) => program.Run([program.File("package"), .. choice])[0];
    }
}

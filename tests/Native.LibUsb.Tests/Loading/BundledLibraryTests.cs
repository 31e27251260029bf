using Native.LibUsb.Tests.Interop;

namespace Native.LibUsb.Tests.Loading;

/// <summary>Tests that a program finds its bundled libusb.</summary>
public sealed class BundledLibraryTests
{
    // The binding tries the file name of the system's library before the file name of the bundled library. If both libraries exist, the program must
    // nevertheless load the bundled library.
    [Fact]
    public void A_single_file_program_finds_the_libusb_that_it_extracts()
    {
        using var program = new PublishedProgram();
        FakeLibrary.Build(new Version(1, 0, 99), "", program.File("libusb-1.0.so"));
        program.Publish(
            """
            Console.WriteLine(Native.LibUsb.UsbLibrary.Version.ToVersion());
            Console.WriteLine(Native.LibUsb.UsbLibrary.LoadedPath);
            """,
            "<PublishSingleFile>true</PublishSingleFile><IncludeNativeLibrariesForSelfExtract>true</IncludeNativeLibrariesForSelfExtract>",
            """<None Include="libusb-1.0.so" CopyToPublishDirectory="PreserveNewest" />""");
        Assert.False(File.Exists(program.Published("libusb-1.0.so"))); // the library is inside the executable
        string[] lines = program.Run([], ("DOTNET_BUNDLE_EXTRACT_BASE_DIR", program.File("extracted")));
        Assert.Equal("1.0.99", lines[0]);
        Assert.StartsWith(program.File("extracted/"), lines[1], StringComparison.Ordinal);
    }
}

using Native.LibUsb.Generator.Clang;
using Native.LibUsb.Generator.Output;

namespace Native.LibUsb.Generator.Tests;

/// <summary>Represents the repository in which the tests run.</summary>
internal static class TestRepository
{
    public static Repository Instance { get; } = Repository.Find(AppContext.BaseDirectory);

    public static string Tests { get; } = Path.Combine(Instance.Root, "tests", "Native.LibUsb.Generator.Tests");

    /// <summary>Gets the installed clang and libusb.h. Without clang, every test fails with a message that contains the name of the missing program.</summary>
    public static ClangCompiler Clang => new(ClangCompiler.Default, Instance.Stubs, "/usr/include");
}

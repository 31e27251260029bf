using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Tests.Interop;

/// <summary>
/// Tests that the loaded libusb exports every function of its version, and that a call of a missing function throws an exception with the function's name.
/// </summary>
public sealed unsafe class ExportTests
{
    private static readonly string[] s_newerThan1_0_26 =
    [
        "libusb_endpoint_set_raw_io", "libusb_endpoint_supports_raw_io", "libusb_free_interface_association_descriptors", "libusb_free_platform_descriptor",
        "libusb_free_ssplus_usb_device_capability_descriptor", "libusb_get_active_interface_association_descriptors", "libusb_get_device_string",
        "libusb_get_interface_association_descriptors", "libusb_get_max_alt_packet_size", "libusb_get_max_raw_io_transfer_size",
        "libusb_get_platform_descriptor", "libusb_get_session_data", "libusb_get_ssplus_usb_device_capability_descriptor", "libusb_init_context",
    ];

    public static TheoryData<string> OptionalFunctions => [.. RawSurface.OptionalFunctions.Keys];

    [Fact]
    public void The_fourteen_newer_functions_are_looked_up_by_name() =>
        Assert.Equal(s_newerThan1_0_26, RawSurface.OptionalFunctions.Keys.Order(StringComparer.Ordinal));

    [Fact]
    public void The_loaded_library_exports_every_import()
    {
        Version loaded = UsbLibrary.Version.ToVersion();
        Assert.True(loaded >= new Version(1, 0, 26), $"The tests need libusb 1.0.26 or newer; {UsbLibrary.LoadedPath} is {loaded}.");
        nint library = NativeLibrary.Load(UsbLibrary.LoadedPath!);
        Assert.All(RawSurface.Imports, import => Assert.True(NativeLibrary.TryGetExport(library, import.Key, out _), $"{import.Key} is not exported."));
    }

    // Only functions that are newer than the loaded version may be missing. To find the missing functions, the test compares the declared functions with the
    // exports of libusb.
    [Fact]
    public void Only_functions_newer_than_the_loaded_library_are_absent()
    {
        Version loaded = UsbLibrary.Version.ToVersion();
        nint library = NativeLibrary.Load(UsbLibrary.LoadedPath!);
        IEnumerable<string> absent = RawSurface.OptionalFunctions.Keys.Where(name => !NativeLibrary.TryGetExport(library, name, out _));
        IEnumerable<string> newer = RawSurface.OptionalFunctions.Where(function => function.Value > loaded).Select(function => function.Key);

        Assert.Equal(newer.Order(StringComparer.Ordinal), absent.Order(StringComparer.Ordinal));
        if (loaded == new Version(1, 0, 26))
            Assert.Equal(14, absent.Count());
    }

    [Theory]
    [MemberData(nameof(OptionalFunctions))]
    public void HasFunction_returns_whether_the_library_exports_a_function(string name)
    {
        bool exported = NativeLibrary.TryGetExport(NativeLibrary.Load(UsbLibrary.LoadedPath!), name, out _);
        Assert.Equal(exported, UsbLibrary.HasFunction(name));
    }

    [Fact]
    public void HasFunction_knows_only_exports()
    {
        Assert.True(UsbLibrary.HasFunction(nameof(libusb.libusb_init)));
        Assert.False(UsbLibrary.HasFunction(nameof(libusb.libusb_fill_bulk_transfer)));
        Assert.False(UsbLibrary.HasFunction("libusb_no_such_function"));
        Assert.Throws<ArgumentException>(() => UsbLibrary.HasFunction(""));
    }

    // This test uses a fake library, so that the result does not depend on the installed libusb.
    [Theory]
    [MemberData(nameof(OptionalFunctions))]
    public void Calling_an_absent_function_names_it_and_both_versions(string name)
    {
        using var fake = new FakeLibrary(new Version(1, 0, 26));
        Isolated.Run(CallAbsentFunction, $"{fake.Path}|{name}");
    }

    [Fact]
    public void Calling_an_optional_function_that_exists_calls_the_library()
    {
        using var fake = new FakeLibrary(new Version(1, 0, 30), "unsigned long libusb_get_session_data(void *dev) { return (unsigned long)(size_t)dev + 1; }");
        Isolated.Run(CallSessionData, fake.Path);
    }

    // libusb 1.0.28 has two more functions than 1.0.27, but the same API number. A build of libusb may also omit a function. To find out whether a function
    // exists, the binding therefore looks for its export, and does not compare versions.
    [Fact]
    public void The_export_decides_and_not_the_version()
    {
        using var fake = new FakeLibrary(new Version(1, 0, 26), "unsigned long libusb_get_session_data(void *dev) { return (unsigned long)(size_t)dev + 1; }");
        Isolated.Run(CallSessionData, fake.Path);
        Isolated.Run(CallAbsentFunction, $"{fake.Path}|libusb_get_device_string");
    }

    private static void CallAbsentFunction(string argument)
    {
        string[] parts = argument.Split('|');
        UsbLibrary.SetPath(parts[0]);
        Assert.False(UsbLibrary.HasFunction(parts[1]));

        // The second call uses the result of the lookup that the first call has stored.
        for (int i = 0; i < 2; i++)
        {
            var exception = Assert.Throws<UsbNotSupportedException>(() => Call(parts[1]));
            Assert.Equal(parts[1], exception.FunctionName);
            Assert.Equal(RawSurface.OptionalFunctions[parts[1]], exception.RequiredVersion);
            Assert.Equal(UsbLibrary.Version.ToVersion(), exception.LoadedVersion);
            Assert.Contains(parts[1], exception.Message, StringComparison.Ordinal);
            Assert.Contains(exception.RequiredVersion.ToString(), exception.Message, StringComparison.Ordinal);
            Assert.Contains(exception.LoadedVersion.ToString(), exception.Message, StringComparison.Ordinal);
        }
    }

    private static void CallSessionData(string path)
    {
        UsbLibrary.SetPath(path);
        Assert.True(UsbLibrary.HasFunction(nameof(libusb.libusb_get_session_data)));
        Assert.Equal(0x1235u, libusb.libusb_get_session_data((libusb_device*)0x1234).Value);
    }

    // Every argument is zero, because none of these calls reaches a library.
    private static void Call(string name)
    {
        System.Reflection.MethodInfo method = typeof(libusb).GetMethod(name)!;
        object?[] arguments = [.. method.GetParameters().Select(parameter => parameter.ParameterType.IsValueType ? Activator.CreateInstance(parameter.ParameterType) : null)];
        method.Invoke(null, System.Reflection.BindingFlags.DoNotWrapExceptions, null, arguments, null);
    }
}

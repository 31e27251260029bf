using System.Runtime.CompilerServices;

namespace Native.LibUsb.Tests.Library;

/// <summary>Tests how a program calls the functions of libusb.</summary>
public sealed class FunctionPointerTests
{
    [Fact]
    public void A_program_compiled_ahead_of_time_that_loads_libusb_has_no_imports() =>
        Assert.Equal(!RuntimeFeature.IsDynamicCodeSupported, UsesFunctionPointers(null));

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "get_UsesFunctionPointers")]
    private static extern bool UsesFunctionPointers([UnsafeAccessorType("Native.LibUsb.Interop.ProgramBinding, Native.LibUsb")] object? type);
}

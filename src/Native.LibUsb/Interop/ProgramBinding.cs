using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Interop;

/// <summary>
/// Describes how this program was linked with libusb. The MSBuild targets that evaluate the property <c>LibUsbLink</c> pass these values to the ahead-of-time
/// compiler as constants. All values are false if the program runs with the just-in-time compiler.
/// </summary>
internal static partial class ProgramBinding
{
    /// <summary>Gets whether the build linked this program with libusb (<c>LibUsbLink</c> is <c>direct</c> or <c>static</c>). Such a program does not search
    /// for libusb.</summary>
    [FeatureSwitchDefinition("Native.LibUsb.IsBound")]
    internal static bool IsBound => AppContext.TryGetSwitch("Native.LibUsb.IsBound", out bool value) && value;

    /// <summary>Gets whether libusb is part of the executable (<c>LibUsbLink</c> is <c>static</c>).</summary>
    [FeatureSwitchDefinition("Native.LibUsb.IsLinkedIn")]
    internal static bool IsLinkedIn => AppContext.TryGetSwitch("Native.LibUsb.IsLinkedIn", out bool value) && value;

    /// <summary>Gets whether the executable has a table of libusb's functions (<c>LibUsbLink</c> is <c>static</c>, on Linux). The table is in
    /// linked-functions.c.</summary>
    [FeatureSwitchDefinition("Native.LibUsb.HasFunctionTable")]
    internal static bool HasFunctionTable => AppContext.TryGetSwitch("Native.LibUsb.HasFunctionTable", out bool value) && value;

    /// <summary>
    /// Gets whether the program calls the functions of libusb through pointers that <see cref="LibraryLoader"/> finds, instead of through imports
    /// (<c>LibUsbLink</c> is <c>dynamic</c>). To bind the first import, a program that is compiled ahead of time builds descriptions of its assemblies and types.
    /// Without imports, the program is smaller and starts faster. A runtime with a just-in-time compiler has these descriptions already, and its optimized code
    /// does not contain the check of this property.
    /// </summary>
    [FeatureSwitchDefinition("Native.LibUsb.UsesFunctionPointers")]
    internal static bool UsesFunctionPointers => s_usesFunctionPointers;

    private static readonly bool s_usesFunctionPointers = AppContext.TryGetSwitch("Native.LibUsb.UsesFunctionPointers", out bool value) && value;

    /// <summary>Finds a function in the table.</summary>
    internal static bool TryFind(string name, out nint address)
    {
        address = FindFunction(name);
        return address != 0;
    }

    [LibraryImport("native-libusb-functions", EntryPoint = "native_libusb_find_function", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint FindFunction(string name);
}

using System.Runtime.InteropServices;

namespace Native.LibUsb.Tests.Interop;

/// <summary>Represents the exports of a library that <see cref="InlineOracle"/> has built.</summary>
internal sealed unsafe class InlineExports(nint library)
{
    /// <summary>Gets the address of a compiled inline function.</summary>
    internal nint this[string function] => NativeLibrary.GetExport(library, "c_" + function);

    /// <summary>Gets the record of the calls of the replaced libusb functions, and clears the record.</summary>
    internal Record TakeRecord()
    {
        Record record;
        ((delegate* unmanaged<Record*, void>)NativeLibrary.GetExport(library, "take_record"))(&record);
        return record;
    }

    /// <summary>Represents <c>struct recorded</c>, which the C source of the library declares. The structure consists of eleven 64-bit numbers.</summary>
    internal record struct Record(
        ulong Calls, ulong Handle, ulong Type, ulong Request, ulong Value, ulong Index, ulong Data, ulong Length, ulong Timeout, ulong Transfer, ulong Stream);
}

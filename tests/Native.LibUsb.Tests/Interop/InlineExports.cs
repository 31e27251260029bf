using System.Runtime.InteropServices;

namespace Native.LibUsb.Tests.Interop;

/// <summary>Represents the exports of a library of <see cref="InlineOracle"/>.</summary>
internal sealed unsafe class InlineExports(nint library)
{
    /// <summary>Gets the address of the compiled inline function.</summary>
    internal nint this[string function] => NativeLibrary.GetExport(library, "c_" + function);

    /// <summary>Gets the calls of the library's replacements of libusb functions since the last record.</summary>
    internal Record TakeRecord()
    {
        Record record;
        ((delegate* unmanaged<Record*, void>)NativeLibrary.GetExport(library, "take_record"))(&record);
        return record;
    }

    /// <summary>Represents the record of the library's source: eleven 64-bit numbers.</summary>
    internal record struct Record(
        ulong Calls, ulong Handle, ulong Type, ulong Request, ulong Value, ulong Index, ulong Data, ulong Length, ulong Timeout, ulong Transfer, ulong Stream);
}

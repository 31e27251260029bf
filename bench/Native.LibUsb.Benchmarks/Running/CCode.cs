using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Benchmarks.Running;

/// <summary>Provides the functions of <c>native/benchmarks.c</c>, which do the work of the benchmarks in C.</summary>
internal static unsafe partial class CCode
{
    private const string Library = "native-libusb-benchmarks";

    [LibraryImport(Library, EntryPoint = "walk_get_iso_packet_buffer")]
    public static partial ulong WalkGetIsoPacketBuffer(libusb_transfer* transfer);

    [LibraryImport(Library, EntryPoint = "walk_get_iso_packet_buffer_simple")]
    public static partial ulong WalkGetIsoPacketBufferSimple(libusb_transfer* transfer);

    [LibraryImport(Library, EntryPoint = "walk_pointer_arithmetic")]
    public static partial ulong WalkPointerArithmetic(libusb_transfer* transfer);

    [LibraryImport(Library, EntryPoint = "dispatch")]
    public static partial void Dispatch(libusb_transfer** transfers, int count);

    [LibraryImport(Library, EntryPoint = "submit_and_complete")]
    public static partial int SubmitAndComplete(libusb_context* context, libusb_transfer** transfers, int inFlight, int count);

    [LibraryImport(Library, EntryPoint = "bulk_reads")]
    public static partial int BulkReads(libusb_device_handle* handle, byte endpoint, byte* data, int length, int count);

    [LibraryImport(Library, EntryPoint = "walk_descriptors")]
    public static partial ulong WalkDescriptors(libusb_device* device);

    [LibraryImport(Library, EntryPoint = "list_devices")]
    public static partial int ListDevices(libusb_context* context);

    /// <summary>Gets a callback that is written in C. The callback increments the int to which the transfer's user_data points.</summary>
    public static delegate* unmanaged<libusb_transfer*, void> CountInC { get; } =
        (delegate* unmanaged<libusb_transfer*, void>)NativeLibrary.GetExport(NativeLibrary.Load(Library, typeof(CCode).Assembly, null), "count_in_c");
}

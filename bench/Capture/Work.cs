using System.Globalization;

namespace Native.LibUsb.Bench;

/// <summary>Specifies the kind of transfers of a run.</summary>
internal enum WorkKind
{
    /// <summary>Asynchronous bulk transfers.</summary>
    Bulk,

    /// <summary>Asynchronous isochronous transfers.</summary>
    Iso,

    /// <summary>Synchronous bulk transfers, one after another.</summary>
    Sync,
}

/// <summary>Represents the work of one run. The program's arguments specify this work. The programs in C and in Python have the same arguments.</summary>
/// <param name="Layer">The program: <c>raw</c>, <c>facade</c>, <c>delegate</c>, <c>ring</c> or <c>ring-untimed</c>.</param>
/// <param name="Kind">The kind of transfers.</param>
/// <param name="Size">The number of bytes of a bulk transfer, or of an isochronous packet.</param>
/// <param name="Packets">The number of isochronous packets in a transfer; 0 for bulk.</param>
/// <param name="Depth">The number of transfers in flight on each device.</param>
/// <param name="Devices">The number of devices. The program distributes them among the contexts.</param>
/// <param name="Contexts">The number of contexts. Each context has a thread that handles its events.</param>
internal sealed record Work(string Layer, WorkKind Kind, int Size, int Packets, int Depth, int Devices, int Contexts)
{
    public const string Usage = "usage: capture raw|facade|delegate|ring|ring-untimed bulk|iso|sync SIZE PACKETS DEPTH DEVICES CONTEXTS";

    /// <summary>
    /// The number of slices in the warm-up. During the warm-up, the runtime compiles code and fills pools, and the program does not count allocations. After 60
    /// slices, the runtime no longer recompiles code: even the code that runs only once in a slice has reached its final form.
    /// </summary>
    public const int WarmUpSlices = 100;

    public const byte Endpoint = 0x81, Interface = 0, IsoSetting = 1;

    private const ushort Vendor = 0x1209, BulkProduct = 0x0014, IsoProduct = 0x0010;

    public bool IsIso => Kind == WorkKind.Iso;

    /// <summary>Gets the size of one transfer's buffer in bytes.</summary>
    public int BufferSize => IsIso ? Size * Packets : Size;

    /// <summary>Determines whether a device is one of the devices for this work.</summary>
    public bool Matches(ushort vendor, ushort product) => vendor == Vendor && product == (IsIso ? IsoProduct : BulkProduct);

    /// <summary>
    /// Parses the arguments. The program uses no library to parse arguments, because a library would increase the memory and the start time that the benchmark
    /// measures.
    /// </summary>
    /// <exception cref="FormatException">The arguments are not valid.</exception>
    public static Work Parse(string[] arguments)
    {
        if (arguments.Length != 7 || arguments[0] is not ("raw" or "facade" or "delegate" or "ring" or "ring-untimed"))
            throw new FormatException(Usage);
        WorkKind kind = arguments[1] switch
        {
            "bulk" => WorkKind.Bulk,
            "iso" => WorkKind.Iso,
            "sync" => WorkKind.Sync,
            _ => throw new FormatException(Usage),
        };
        return new Work(
            arguments[0], kind,
            (int)Number(2, "SIZE", 1, 1 << 20), (int)Number(3, "PACKETS", 0, 1024), (int)Number(4, "DEPTH", 1, 1024),
            (int)Number(5, "DEVICES", 1, 64), (int)Number(6, "CONTEXTS", 1, 64));

        long Number(int index, string name, long least, long most) =>
            long.TryParse(arguments[index], NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value >= least && value <= most
                ? value
                : throw new FormatException($"{name} must be {least} to {most}, but is '{arguments[index]}'");
    }
}

using System.Globalization;

namespace Native.LibUsb.Bench;

/// <summary>Specifies what kind of transfers a run makes.</summary>
internal enum WorkKind
{
    /// <summary>Bulk transfers in flight.</summary>
    Bulk,

    /// <summary>Isochronous transfers in flight.</summary>
    Iso,

    /// <summary>Synchronous bulk transfers, one after the other.</summary>
    Sync,
}

/// <summary>Represents the work of one run: the arguments, which are those of the programs in C and in Python too.</summary>
/// <param name="Layer">Which program: <c>raw</c>, <c>facade</c>, <c>delegate</c>, <c>ring</c> or <c>ring-untimed</c>.</param>
/// <param name="Kind">The kind of transfers.</param>
/// <param name="Size">Bytes of a bulk transfer, or of an isochronous packet.</param>
/// <param name="Packets">Isochronous packets in a transfer; 0 for bulk.</param>
/// <param name="Depth">Transfers in flight on each device.</param>
/// <param name="Devices">Devices, shared among the contexts.</param>
/// <param name="Contexts">Contexts, each with a thread that handles its events.</param>
internal sealed record Work(string Layer, WorkKind Kind, int Size, int Packets, int Depth, int Devices, int Contexts)
{
    public const string Usage = "usage: capture raw|facade|delegate|ring|ring-untimed bulk|iso|sync SIZE PACKETS DEPTH DEVICES CONTEXTS";

    /// <summary>Slices in which the runtime may still compile and fill pools: what they allocate is not counted. Code that runs once in a slice
    /// is compiled for good after 60.</summary>
    public const int WarmUpSlices = 100;

    public const byte Endpoint = 0x81, Interface = 0, IsoSetting = 1;

    private const ushort Vendor = 0x1209, BulkProduct = 0x0014, IsoProduct = 0x0010;

    public bool IsIso => Kind == WorkKind.Iso;

    /// <summary>Gets the bytes of one transfer's buffer.</summary>
    public int BufferSize => IsIso ? Size * Packets : Size;

    /// <summary>Returns whether it is one of the devices that this work is for.</summary>
    public bool Matches(ushort vendor, ushort product) => vendor == Vendor && product == (IsIso ? IsoProduct : BulkProduct);

    /// <summary>Reads the arguments. No library does it: the memory and the start of the whole program are measured.</summary>
    /// <exception cref="FormatException">They make no sense.</exception>
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
                : throw new FormatException($"{name} is {least} to {most}, not '{arguments[index]}'");
    }
}

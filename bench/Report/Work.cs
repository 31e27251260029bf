namespace Native.LibUsb.Bench.Report;

/// <summary>Represents the work of the programs; see bench/Capture/Work.cs.</summary>
internal sealed record Work(string Kind, int Size, int Packets, int Depth, int Devices = 1, int Contexts = 1)
{
    public bool IsIso => Kind == "iso";

    /// <summary>Gets the name of the work in the JSON file.</summary>
    public string Name => $"{Kind}-{(IsIso ? Packets : Size)}-{Depth}" + (Devices == 1 ? "" : $"-d{Devices}") + (Contexts == 1 ? "" : $"-c{Contexts}");

    /// <summary>Gets the name of the work in tables.</summary>
    public string Title => Kind switch
    {
        "sync" => $"synchronous bulk, {Bytes(Size)}",
        "iso" => $"isochronous, {Packets} packets of {Size} B, {Depth} in flight",
        _ => $"bulk, {Bytes(Size)}, {Depth} in flight",
    };

    public string[] Arguments => [Kind, $"{Size}", $"{Packets}", $"{Depth}", $"{Devices}", $"{Contexts}"];

    /// <summary>Gets the argument with which <c>usbvbus</c> creates a device for the work.</summary>
    public string Device => IsIso ? "camera:speed=high" : "source-sink:speed=high";

    private static string Bytes(int size) => size < 1024 ? $"{size} B" : $"{size / 1024} KiB";
}

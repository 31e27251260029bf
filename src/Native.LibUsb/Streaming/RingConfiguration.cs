using System.Globalization;

namespace Native.LibUsb.Streaming;

/// <summary>Represents the sizes of a ring, after they were checked against the endpoint and the system.</summary>
internal sealed record RingConfiguration
{
    private const int DefaultPackets = 32;
    private const int DefaultBulkSize = 64 * 1024;

    private const int DefaultTransfers = 16;

    // With fewer transfers in flight, one late completion would leave the queue almost empty. If the memory limit is low, an isochronous ring therefore uses
    // shorter transfers, so that FewestDefaultTransfers of them fit into the ring's share of the limit.
    private const int FewestDefaultTransfers = 4;

    public required byte Endpoint { get; init; }

    public required UsbTransferType Type { get; init; }

    public required int MaxPacketSize { get; init; }

    public required TimeSpan ServiceInterval { get; init; }

    public required int Transfers { get; init; }

    public required int Spares { get; init; }

    /// <summary>Gets the number of isochronous packets of one transfer; 0 for other endpoints.</summary>
    public required int Packets { get; init; }

    /// <summary>Gets the size of one isochronous packet in bytes; 0 for other endpoints.</summary>
    public required int PacketSize { get; init; }

    /// <summary>Gets the size of one transfer in bytes.</summary>
    public required int TransferSize { get; init; }

    /// <summary>Gets the largest number of bytes of one URB.</summary>
    public int LargestPiece => IsIsochronous ? Math.Min(Packets, UsbfsLimits.PacketsPerUrb) * PacketSize : TransferSize;

    public required UsbRingOptions Options { get; init; }

    public bool IsIsochronous => Type == UsbTransferType.Isochronous;

    public bool Drops => Options.Overflow == UsbRingOverflow.Drop || (Options.Overflow == UsbRingOverflow.Automatic && IsIsochronous);

    /// <exception cref="ArgumentException">The options do not fit the endpoint, or the system.</exception>
    public static RingConfiguration Make(UsbEndpoint endpoint, UsbRingOptions options, UsbDirection direction) =>
        Make(endpoint.Descriptor, options, direction, UsbfsMemory.Limit, endpoint.Interface.Handle.DividesTransfers);

    /// <param name="endpoint">The endpoint.</param>
    /// <param name="options">The options of the program. If a size in the options is 0, the method chooses the size.</param>
    /// <param name="direction">The direction that the endpoint must have.</param>
    /// <param name="limit">The number of bytes that the system allows for all transfers of all programs together; null if there is no limit.</param>
    /// <param name="dividesTransfers">Whether libusb divides bulk and interrupt transfers of more than 16 KiB. If so, the ring uses shorter transfers.</param>
    /// <exception cref="ArgumentException">The options do not fit the endpoint, or exceed the limit.</exception>
    public static RingConfiguration Make(UsbEndpointDescriptor endpoint, UsbRingOptions options, UsbDirection direction, long? limit, bool dividesTransfers = false)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        if (!UsbEndpointAddress.IsValid(endpoint.Address))
            throw new ArgumentException(TransferHint.ReservedBits(endpoint.Address), nameof(endpoint));
        if (endpoint.Direction != direction)
        {
            throw new ArgumentException(
                $"Endpoint 0x{endpoint.Address:x2} is an {(direction == UsbDirection.In ? "OUT endpoint: use CreateOutputRing" : "IN endpoint: use CreateInputRing")}.", nameof(endpoint));
        }

        if (endpoint.TransferType == UsbTransferType.Control)
            throw new ArgumentException("Control endpoints have no stream of data.", nameof(endpoint));
        InRange(options.Transfers, 0, UsbRingOptions.MostTransfers, nameof(UsbRingOptions.Transfers));
        InRange(options.Spares, 0, UsbRingOptions.MostTransfers, nameof(UsbRingOptions.Spares));
        InRange(options.ErrorLimit, 1, int.MaxValue, nameof(UsbRingOptions.ErrorLimit));
        InRange(options.StreamId, 0, ushort.MaxValue, nameof(UsbRingOptions.StreamId));
        if (options.StreamId != 0 && endpoint.TransferType != UsbTransferType.Bulk)
            throw Wrong(nameof(UsbRingOptions.StreamId), "Only bulk endpoints have streams.");

        bool isochronous = endpoint.TransferType == UsbTransferType.Isochronous;
        (int packets, int packetSize, int size) = isochronous ? Isochronous(endpoint, options, limit) : Simple(endpoint, options, direction);
        if (dividesTransfers && !isochronous)
            (options, size) = Undivided(endpoint, options, size);
        var configuration = new RingConfiguration
        {
            Endpoint = endpoint.Address,
            Type = options.StreamId != 0 ? UsbTransferType.BulkStream : endpoint.TransferType,
            MaxPacketSize = endpoint.MaxPacketSize,
            ServiceInterval = endpoint.ServiceInterval,
            Transfers = options.Transfers != 0 ? options.Transfers : TransfersFor(size, packets, limit),
            Spares = options.Spares,
            Packets = packets,
            PacketSize = packetSize,
            TransferSize = size,
            Options = options,
        };
        configuration.CheckMemory(limit);
        long needed = (long)size * (configuration.Transfers + configuration.Spares);
        if (!options.Memory.IsEmpty && options.Memory.Length < needed)
        {
            throw Wrong(nameof(UsbRingOptions.Memory), string.Create(CultureInfo.InvariantCulture,
                $"{configuration.Transfers} transfers and {configuration.Spares} spares of {size} bytes need {needed} bytes of memory, and {options.Memory.Length} were given."));
        }

        return configuration;
    }

    /// <summary>
    /// Returns the memory of one transfer. This memory is a part of the memory that the program provided for the ring. If the program provided no memory, the
    /// result is empty, and the ring allocates its own memory.
    /// </summary>
    /// <param name="index">The index of the transfer.</param>
    public Memory<byte> MemoryOf(int index) => Options.Memory.IsEmpty ? default : Options.Memory.Slice(index * TransferSize, TransferSize);

    private static (int Packets, int PacketSize, int Size) Isochronous(UsbEndpointDescriptor endpoint, UsbRingOptions options, long? limit)
    {
        if (options.TransferSize != 0)
            throw Wrong(nameof(UsbRingOptions.TransferSize), "Isochronous transfers are made of packets: set PacketsPerTransfer and PacketSize.");
        InRange(options.PacketsPerTransfer, 0, short.MaxValue, nameof(UsbRingOptions.PacketsPerTransfer));
        InRange(options.PacketSize, 0, UsbfsLimits.PacketBytes, nameof(UsbRingOptions.PacketSize));
        int packetSize = options.PacketSize == 0 ? endpoint.BytesPerInterval : options.PacketSize;
        if (packetSize == 0)
            throw new ArgumentException($"Endpoint 0x{endpoint.Address:x2} moves nothing in this alternate setting: choose another.", nameof(endpoint));
        if (packetSize > endpoint.BytesPerInterval && endpoint.BytesPerInterval > 0)
            throw Wrong(nameof(UsbRingOptions.PacketSize), TransferHint.LongPacket(packetSize, endpoint));
        int packets = options.PacketsPerTransfer == 0 ? PacketsFor(packetSize, options.Transfers, limit) : options.PacketsPerTransfer;
        if (OperatingSystem.IsLinux() && (long)Math.Min(packets, UsbfsLimits.PacketsPerUrb) * packetSize > UsbfsLimits.ContiguousBytes)
        {
            throw Wrong(nameof(UsbRingOptions.PacketsPerTransfer), string.Create(CultureInfo.InvariantCulture,
                $"{packets} packets of {packetSize} bytes are more than Linux takes in one URB: at most {UsbfsLimits.ContiguousBytes / packetSize} packets of this size."));
        }

        long size = (long)packets * packetSize;
        if (size > int.MaxValue)
            throw Wrong(nameof(UsbRingOptions.PacketsPerTransfer), "A transfer has at most 2 GiB.");
        return (packets, packetSize, (int)size);
    }

    private static (int Packets, int PacketSize, int Size) Simple(UsbEndpointDescriptor endpoint, UsbRingOptions options, UsbDirection direction)
    {
        if (options.PacketsPerTransfer != 0 || options.PacketSize != 0)
            throw Wrong(nameof(UsbRingOptions.PacketsPerTransfer), "Only isochronous transfers are made of packets: set TransferSize.");
        ArgumentOutOfRangeException.ThrowIfNegative(options.TransferSize, nameof(UsbRingOptions.TransferSize));
        int packet = Math.Max(endpoint.MaxPacketSize, 1);
        if (options.TransferSize == 0)
            return (0, 0, endpoint.TransferType == UsbTransferType.Interrupt ? endpoint.BytesPerInterval : Math.Max(DefaultBulkSize / packet, 1) * packet);
        if (direction == UsbDirection.In && options.TransferSize % packet != 0)
        {
            throw Wrong(nameof(UsbRingOptions.TransferSize), string.Create(CultureInfo.InvariantCulture,
                $"{options.TransferSize} is not a multiple of the endpoint's packet size, {packet}: a whole packet would overflow it."));
        }

        return (0, 0, options.TransferSize);
    }

    /// <summary>
    /// Chooses more and shorter transfers if libusb would divide transfers of the given size. The ring avoids divided transfers, because the process crashes if
    /// a divided transfer overflows.
    /// </summary>
    private static (UsbRingOptions Options, int Size) Undivided(UsbEndpointDescriptor endpoint, UsbRingOptions options, int size)
    {
        if (size <= UsbfsLimits.BulkPiece)
            return (options, size);
        int packet = Math.Max(endpoint.MaxPacketSize, 1);
        int most = Math.Max(UsbfsLimits.BulkPiece / packet, 1) * packet;
        long pieces = ((long)size + most - 1) / most;
        return (options with { Transfers = Times(options.Transfers), Spares = Times(options.Spares) }, most);

        int Times(int count) => (int)Math.Min(count * pieces, UsbRingOptions.MostTransfers);
    }

    /// <summary>
    /// Returns the default number of transfers, or a smaller number if the transfers would otherwise need more than the ring's share of the limit.
    /// </summary>
    private static int TransfersFor(int size, int packets, long? limit) => limit is { } bytes
        ? (int)Math.Clamp(UsbfsMemory.ShareOf(bytes) / UsbfsMemory.CostOf(size, packets), 1, DefaultTransfers)
        : DefaultTransfers;

    /// <summary>
    /// Returns the default number of packets per transfer, or a smaller number if the queue would otherwise need more than the ring's share of the limit.
    /// </summary>
    private static int PacketsFor(int packetSize, int transfers, long? limit)
    {
        int packets = DefaultPackets;
        if (limit is not { } bytes)
            return packets;
        int queue = transfers == 0 ? FewestDefaultTransfers : transfers;
        while (packets > 1 && UsbfsMemory.CostOf((long)packets * packetSize, packets) * queue > UsbfsMemory.ShareOf(bytes))
            packets /= 2; // on Windows the number should be a multiple of 8
        return packets;
    }

    /// <summary>Throws if the transfers in flight need more memory than the kernel allows all programs together.</summary>
    private void CheckMemory(long? limit)
    {
        if (limit is not { } allowed)
            return;
        long each = UsbfsMemory.CostOf(TransferSize, Packets);
        if (each * Transfers <= allowed)
            return;
        long most = allowed / each;
        throw Wrong(nameof(UsbRingOptions.Transfers), string.Create(CultureInfo.InvariantCulture,
            $"{Transfers} transfers of {TransferSize} bytes exceed the {allowed >> 20} MiB that Linux allows for all USB transfers together: ") +
            (most > 0 ? $"use at most {most} of this size" : "use a smaller size") + $", and fewer while other programs stream. {UsbfsMemory.HowToRaise(each * Transfers)}");
    }

    private static void InRange(int value, int least, int most, string option)
    {
        if (value < least || value > most)
            throw new ArgumentOutOfRangeException(option, value, string.Create(CultureInfo.InvariantCulture, $"{option} is {least} to {most}."));
    }

    private static ArgumentException Wrong(string option, string message) => new(message, option);
}

namespace Native.LibUsb.Streaming;

/// <summary>One isochronous packet of a buffer.</summary>
public readonly ref struct UsbRingPacket
{
    internal UsbRingPacket(long number, UsbTransferStatus status, ReadOnlySpan<byte> data)
    {
        Number = number;
        Status = status;
        Data = data;
    }

    /// <summary>Its number, counted from 0; one service interval each.</summary>
    public long Number { get; }

    /// <summary>How it ended. <see cref="UsbTransferStatus.Completed"/> with no bytes: the device had nothing to send.</summary>
    public UsbTransferStatus Status { get; }

    /// <summary>What arrived.</summary>
    public ReadOnlySpan<byte> Data { get; }
}

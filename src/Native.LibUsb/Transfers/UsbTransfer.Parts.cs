using System.Diagnostics;

namespace Native.LibUsb;

// For rings that write: their buffers stay configured, and how much of them is sent changes with each submission.
public sealed unsafe partial class UsbTransfer
{
    /// <summary>Sends a part of the buffer. The transfer is at rest, and not isochronous.</summary>
    /// <exception cref="ObjectDisposedException">It, or its device handle, is disposed.</exception>
    internal void UsePart(int offset, int length, bool endsMessage)
    {
        using var setting = new SettingScope(this);
        if (setting.IsRefused)
            return;
        Debug.Assert(offset >= 0 && length >= 0 && offset + length <= _buffer.Length);
        _native->buffer = _buffer.Pointer + offset;
        _native->length = length;
        _native->flags = (byte)(endsMessage ? UsbTransferFlags.AddZeroPacket : UsbTransferFlags.None);
    }

    /// <summary>Sends the first bytes of the buffer as packets of one size, the last one perhaps shorter. The transfer is at rest, and isochronous.</summary>
    /// <exception cref="ObjectDisposedException">It, or its device handle, is disposed.</exception>
    internal void UsePackets(int length, int packetSize)
    {
        using var setting = new SettingScope(this);
        if (setting.IsRefused)
            return;
        int count = (length + packetSize - 1) / packetSize;
        Debug.Assert(length > 0 && length <= _buffer.Length && count <= IsoPacketCapacity);
        _native->length = length;
        SetPacketLengths(packetSize, count);
        _native->iso_packet_desc[count - 1].length = (uint)(length - ((count - 1) * packetSize));
        KeepIsoPacketLengths();
    }
}

using System.Runtime.CompilerServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>Enumerates the packets of an isochronous transfer; see <see cref="UsbTransfer.IterIso"/>.</summary>
public unsafe ref struct UsbIsoPacketEnumerator
{
    private readonly libusb_iso_packet_descriptor* _end;
    private libusb_iso_packet_descriptor* _next;
    private byte* _nextData;

    internal UsbIsoPacketEnumerator(libusb_iso_packet_descriptor* packets, int count, byte* data)
    {
        _next = packets;
        _end = packets + count;
        _nextData = data;
    }

    /// <summary>Gets the current packet.</summary>
    public UsbIsoPacket Current { get; private set; }

    /// <summary>Gets this enumerator, so that <c>foreach</c> accepts it.</summary>
    public readonly UsbIsoPacketEnumerator GetEnumerator() => this;

    /// <summary>Advances to the next packet.</summary>
    /// <returns>Whether there is another packet.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext()
    {
        if (_next == _end)
            return false;
        Current = new UsbIsoPacket(_next, _nextData);
        // Each packet occupies its requested length, even if fewer bytes have arrived.
        _nextData += _next->length;
        _next++;
        return true;
    }
}

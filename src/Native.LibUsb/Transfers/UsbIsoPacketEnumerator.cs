using System.Runtime.CompilerServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>Walks over the packets of an isochronous transfer; see <see cref="UsbTransfer.IterIso"/>.</summary>
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

    /// <summary>Gets the packet that <see cref="MoveNext"/> reached.</summary>
    public UsbIsoPacket Current { get; private set; }

    /// <summary>Gets this enumerator, so that <c>foreach</c> takes it.</summary>
    public readonly UsbIsoPacketEnumerator GetEnumerator() => this;

    /// <summary>Goes to the next packet.</summary>
    /// <returns>Whether there is one.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext()
    {
        if (_next == _end)
            return false;
        Current = new UsbIsoPacket(_next, _nextData);
        // The next packet lies behind what was requested here, not behind what arrived: nothing is moved together.
        _nextData += _next->length;
        _next++;
        return true;
    }
}

using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Native.LibUsb.Testing;

/// <summary>Sends udev events to every monitor of the programs on a testbed.</summary>
/// <remarks>
/// umockdev's preload turns each udev monitor's netlink socket into a datagram socket named <c>event</c> and a number in the
/// testbed's folder. A message is what systemd-udevd sends: a header of 40 bytes with hashes for the receiver's socket filter,
/// then the properties, each ended by a zero byte.
/// </remarks>
internal sealed class UdevSender(string folder) : IDisposable
{
    private const int HeaderSize = 40;
    private const uint Magic = 0xfeedcafe;

    // not blocking: a program that does not read its monitor misses events, as it would with the kernel, and stops nobody
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
    private long _sequence;

    public void Send(string action, TestbedDevice device)
    {
        byte[] message = Message(action, device);
        foreach (string monitor in Directory.GetFiles(folder, "event*"))
            try
            {
                _socket.SendTo(message, new UnixDomainSocketEndPoint(monitor));
            }
            catch (SocketException exception) when (exception.SocketErrorCode is SocketError.ConnectionRefused or SocketError.AddressNotAvailable or SocketError.NotConnected
                or SocketError.WouldBlock or SocketError.NoBufferSpaceAvailable)
            {
                // the monitor has been closed, or its program has ended and the name stays behind; or it is full
            }
    }

    public void Dispose() => _socket.Dispose();

    private byte[] Message(string action, TestbedDevice device)
    {
        StringBuilder text = new();
        text.Append("ACTION=").Append(action).Append('\0');
        foreach ((string name, string value) in device.Properties)
            text.Append(name).Append('=').Append(value).Append('\0');
        text.Append("SEQNUM=").Append(++_sequence).Append('\0');
        text.Append("USEC_INITIALIZED=").Append(Environment.TickCount64 * 1000).Append('\0');
        byte[] properties = Encoding.UTF8.GetBytes(text.ToString());
        byte[] message = new byte[HeaderSize + properties.Length];
        "libudev\0"u8.CopyTo(message);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(8), Magic);
        // sizes in the machine's order, hashes in network order
        BitConverter.TryWriteBytes(message.AsSpan(12), HeaderSize);
        BitConverter.TryWriteBytes(message.AsSpan(16), HeaderSize);
        BitConverter.TryWriteBytes(message.AsSpan(20), properties.Length);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(24), MurmurHash2("usb"u8));
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(28), MurmurHash2("usb_device"u8));
        properties.CopyTo(message, HeaderSize);
        return message;
    }

    /// <summary>The hash that udev's socket filters compare: MurmurHash2, 32 bits, seed 0.</summary>
    private static uint MurmurHash2(ReadOnlySpan<byte> text)
    {
        const uint m = 0x5bd1e995;
        uint hash = (uint)text.Length;
        for (; text.Length >= 4; text = text[4..])
        {
            uint k = BinaryPrimitives.ReadUInt32LittleEndian(text) * m;
            k = (k ^ (k >> 24)) * m;
            hash = (hash * m) ^ k;
        }
        if (text.Length > 0)
        {
            for (int i = 0; i < text.Length; i++)
                hash ^= (uint)text[i] << (8 * i);
            hash *= m;
        }
        hash = (hash ^ (hash >> 13)) * m;
        return hash ^ (hash >> 15);
    }
}

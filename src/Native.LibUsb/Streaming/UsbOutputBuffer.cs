using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Represents a buffer of a ring. The program fills the buffer and commits it. After the buffer is committed or disposed, all members that use the buffer throw
/// an exception. A copy of the structure represents the same buffer.
/// </summary>
public readonly struct UsbOutputBuffer : IDisposable, IEquatable<UsbOutputBuffer>
{
    private readonly RingTransfer? _transfer;
    private readonly long _loan;

    internal UsbOutputBuffer(RingTransfer transfer)
    {
        _transfer = transfer;
        _loan = transfer.Loan;
    }

    /// <summary>Gets the ring that lent the buffer.</summary>
    public UsbOutputRing Ring => Unsafe.As<UsbOutputRing>(Transfer().Ring);

    /// <summary>Gets the memory to write to, which has the size of one transfer. The memory still contains data of earlier transfers.</summary>
    public Memory<byte> Memory => Transfer().Memory;

    /// <summary>Gets the memory to write to, as a span.</summary>
    public Span<byte> Span => Transfer().Memory.Span;

    /// <summary>Commits the buffer. The ring sends the buffer's bytes after the bytes that were committed earlier.</summary>
    /// <param name="length">
    /// The number of bytes to send, from the start of the buffer. On bulk and interrupt endpoints, a length of 0 stands for a zero-length packet. On
    /// isochronous endpoints, the length is at least 1, and the ring divides the bytes into packets of <see cref="UsbRing.PacketSize"/>. The last packet has
    /// the remaining bytes.
    /// </param>
    /// <param name="endOfMessage">
    /// True if the bytes end a message. If the last packet of the message is full, the ring then adds a zero-length packet, so that the device detects the end.
    /// The value must be false on isochronous endpoints. The value true works on Linux, on macOS and with WinUSB (<c>LIBUSB_TRANSFER_ADD_ZERO_PACKET</c>). On
    /// other systems, libusb refuses the transfer, and the ring fails with <see cref="UsbError.NotSupported"/>.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The length is not within the buffer.</exception>
    /// <exception cref="ArgumentException">The ring is isochronous, and <paramref name="endOfMessage"/> is true.</exception>
    /// <exception cref="ObjectDisposedException">The buffer was committed or disposed before.</exception>
    public void Commit(int length, bool endOfMessage = false)
    {
        RingTransfer transfer = Transfer();
        bool isochronous = transfer.Ring.Configuration.IsIsochronous;
        if (length < (isochronous ? 1 : 0) || length > transfer.Memory.Length)
            throw new ArgumentOutOfRangeException(nameof(length), length, $"The buffer has {transfer.Memory.Length} bytes.");
        if (endOfMessage && isochronous)
            throw new ArgumentException("Isochronous packets are not messages.", nameof(endOfMessage));
        Unsafe.As<UsbOutputRing>(transfer.Ring).Commit(transfer, _loan, length, endOfMessage, default);
    }

    /// <summary>
    /// Commits the buffer as isochronous packets of the given lengths. The ring sends one packet per service interval. For example, if a program
    /// sends audio at 44.1 kHz and the service interval is 1 ms, the program repeats this sequence: nine packets of 44 frames, then one packet of 45 frames.
    /// </summary>
    /// <param name="packetLengths">
    /// The lengths of the packets in bytes. The packets lie one after another in the buffer, without gaps. There are 1 to
    /// <see cref="UsbRing.PacketsPerTransfer"/> packets, and each has 0 to <see cref="UsbRing.PacketSize"/> bytes. A packet of 0 bytes uses one service
    /// interval and sends nothing.
    /// </param>
    /// <exception cref="ArgumentException">There is no packet, or there are too many packets.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A length is out of range.</exception>
    /// <exception cref="InvalidOperationException">The ring is not isochronous.</exception>
    /// <exception cref="ObjectDisposedException">The buffer was committed or disposed before.</exception>
    public void Commit(ReadOnlySpan<int> packetLengths)
    {
        RingTransfer transfer = Transfer();
        RingConfiguration configuration = transfer.Ring.Configuration;
        if (!configuration.IsIsochronous)
            throw new InvalidOperationException("Only isochronous transfers are made of packets: use the Commit that takes the number of bytes.");
        if (packetLengths.IsEmpty || packetLengths.Length > configuration.Packets)
            throw new ArgumentException($"A buffer of this ring is sent as 1 to {configuration.Packets} packets, not {packetLengths.Length}.", nameof(packetLengths));
        int total = 0;
        foreach (int length in packetLengths)
        {
            if (length < 0 || length > configuration.PacketSize)
                throw new ArgumentOutOfRangeException(nameof(packetLengths), length, $"A packet of this ring has 0 to {configuration.PacketSize} bytes.");
            total += length;
        }

        Unsafe.As<UsbOutputRing>(transfer.Ring).Commit(transfer, _loan, total, endsMessage: false, packetLengths);
    }

    /// <summary>Returns the buffer to the ring without sending its bytes. If the buffer was already committed or disposed, the method does nothing.</summary>
    public void Dispose()
    {
        if (_transfer is { } transfer)
            Unsafe.As<UsbOutputRing>(transfer.Ring).Return(transfer, _loan);
    }

    /// <summary>Determines whether two structures represent the same buffer.</summary>
    /// <param name="other">The buffer to compare with.</param>
    public bool Equals(UsbOutputBuffer other) => _transfer == other._transfer && _loan == other._loan;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is UsbOutputBuffer other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_transfer, _loan);

    /// <summary>Determines whether two structures represent the same buffer.</summary>
    /// <param name="left">The first buffer.</param>
    /// <param name="right">The second buffer.</param>
    public static bool operator ==(UsbOutputBuffer left, UsbOutputBuffer right) => left.Equals(right);

    /// <summary>Determines whether two structures represent different buffers.</summary>
    /// <param name="left">The first buffer.</param>
    /// <param name="right">The second buffer.</param>
    public static bool operator !=(UsbOutputBuffer left, UsbOutputBuffer right) => !left.Equals(right);

    private RingTransfer Transfer()
    {
        if (_transfer is null || _transfer.Loan != _loan)
            throw new ObjectDisposedException(nameof(UsbOutputBuffer));
        return _transfer;
    }
}

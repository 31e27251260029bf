using System.Runtime.InteropServices;

namespace Native.LibUsb.Testing;

/// <summary>Represents a USB request block: one transfer (or one piece of it) that the host submitted to an endpoint.</summary>
/// <remarks>
/// It belongs to the model from the submit until <see cref="Complete(UrbStatus)"/>, from any thread. After that it is used again
/// for another transfer, so a model keeps no reference to it.
/// </remarks>
public sealed unsafe class VirtualUrb
{
    private readonly Connection _connection;
    private byte* _buffer;
    private int _capacity;
    private IsoPacket[] _packets = [];
    private int _actualLength;

    internal VirtualUrb(Connection connection)
    {
        _connection = connection;
    }

    /// <summary>Gets the endpoint it was submitted to.</summary>
    public VirtualEndpoint Endpoint { get; internal set; } = null!;

    /// <summary>Gets whether data goes to the host.</summary>
    public bool IsIn { get; internal set; }

    /// <summary>Gets the bytes of the transfer: room for IN, data for OUT. Without the setup packet of a control transfer.</summary>
    public int Length { get; internal set; }

    /// <summary>Gets whether it is submitted and not completed.</summary>
    public bool IsInFlight { get; internal set; }

    /// <summary>Gets a value that is true while it waits in an endpoint that holds its URBs.</summary>
    public bool IsHeld { get; internal set; }

    /// <summary>Gets the host wants an error when an IN transfer is short.</summary>
    public bool ShortNotOk { get; internal set; }

    /// <summary>Gets an OUT transfer whose length is a multiple of the packet size ends with an empty packet.</summary>
    public bool ZeroPacket { get; internal set; }

    /// <summary>Gets the stream of a bulk transfer; 0 for none.</summary>
    public uint StreamId { get; internal set; }

    /// <summary>Gets the setup packet, on endpoint 0.</summary>
    public SetupPacket Setup { get; internal set; }

    /// <summary>Gets the number of isochronous packets; 0 on other endpoints.</summary>
    public int PacketCount { get; private set; }

    /// <summary>Isochronous: the (micro)frame of the first packet, as the model reports it to the host.</summary>
    public int StartFrame { get; set; }

    /// <summary>Gets or sets an object for the model's own use between submit and completion.</summary>
    public long Tag { get; set; }

    /// <summary>Gets the data of an OUT transfer, or the room of an IN transfer, which the model fills from its start.</summary>
    public Span<byte> Buffer => new(_buffer, Length);

    /// <summary>Gets the isochronous packets.</summary>
    public Span<IsoPacket> Packets => _packets.AsSpan(0, PacketCount);

    /// <summary>Gets the bytes transferred so far; what a transfer that is unlinked now would report. At most <see cref="Length"/>.</summary>
    public int ActualLength
    {
        get => _actualLength;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, Length);
            _actualLength = value;
        }
    }

    internal uint Sequence { get; set; }

    /// <summary>Gets the time of the submission, on the <see cref="FrameClock"/>. A busy bus receives the URB later.</summary>
    internal long Microframe { get; set; }

    /// <summary>Gets the number of the URB on its endpoint, from 0.</summary>
    internal long Number { get; set; }

    /// <summary>Gets whether it is a piece of the same transfer as the one before it.</summary>
    internal bool IsContinuation { get; set; }

    /// <summary>Gets whether it waits until those before it are answered.</summary>
    internal bool IsQueued { get; set; }

    /// <summary>Gets whether the model never sees it.</summary>
    internal bool IsWithheld { get; set; }

    /// <summary>Gets whether the model has answered it, and it is given back later.</summary>
    internal bool IsAnswered { get; set; }

    /// <summary>Gets how it ended, when it is answered.</summary>
    internal UrbStatus Answer { get; set; }

    /// <summary>Gets the fault that changes the model's answer.</summary>
    internal FaultRule? Fault { get; set; }

    /// <summary>Gets the length that it was submitted with, where a fault has changed it; otherwise 0.</summary>
    internal int AskedLength { get; set; }

    /// <summary>Gets whether the model has it, and has not answered.</summary>
    internal bool IsWithModel => this is { IsHeld: false, IsQueued: false, IsWithheld: false, IsAnswered: false };

    internal Connection Connection => _connection;

    internal byte* Pointer => _buffer;

    /// <summary>Gets the room of isochronous packet <paramref name="index"/>.</summary>
    public Span<byte> PacketBuffer(int index)
    {
        ref IsoPacket packet = ref Packets[index];
        return new Span<byte>(_buffer + packet.Offset, packet.Length);
    }

    /// <summary>Gives the transfer back with <see cref="ActualLength"/> bytes, or with the lengths of the isochronous packets.</summary>
    /// <exception cref="InvalidOperationException">It has been completed before.</exception>
    public void Complete(UrbStatus status = UrbStatus.Success) => Endpoint.Device.Complete(this, status);

    /// <summary>Gives the transfer back with a number of bytes.</summary>
    public void Complete(int actualLength, UrbStatus status = UrbStatus.Success)
    {
        ActualLength = actualLength;
        Complete(status);
    }

    /// <summary>Answers an IN transfer with data; what does not fit is left out for control transfers and is an overflow for others.</summary>
    public void CompleteWith(ReadOnlySpan<byte> data)
    {
        int count = Math.Min(data.Length, Length);
        data[..count].CopyTo(Buffer);
        Complete(count, count < data.Length && Endpoint.Address != 0 ? UrbStatus.Overflow : UrbStatus.Success);
    }

    /// <summary>Takes all data of an OUT transfer, or answers a request that has no data.</summary>
    public void Accept() => Complete(IsIn ? 0 : Length);

    /// <summary>Refuses the transfer: STALL on the bus.</summary>
    public void Stall() => Complete(UrbStatus.Stall);

    /// <summary>Makes room for a transfer; the buffer is kept for the next one.</summary>
    internal void Prepare(int length, int packets)
    {
        if (_capacity < length)
        {
            NativeMemory.Free(_buffer);
            _buffer = null; // so that a failed allocation leaves no dangling pointer
            _capacity = 0;
            _buffer = (byte*)NativeMemory.Alloc((nuint)length);
            _capacity = length;
        }
        if (_packets.Length < packets)
            _packets = new IsoPacket[packets];
        Length = length;
        PacketCount = packets;
        _actualLength = 0;
        StartFrame = 0;
        Tag = 0;
        IsHeld = IsQueued = IsWithheld = IsAnswered = IsContinuation = false;
        Fault = null;
        AskedLength = 0;
    }

    internal void Free()
    {
        NativeMemory.Free(_buffer);
        _buffer = null;
        _capacity = 0;
        Length = 0;
        PacketCount = 0;
    }
}

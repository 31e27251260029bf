using System.Runtime.InteropServices;

namespace Native.LibUsb.Testing;

/// <summary>Represents a USB request block (URB). A URB is a transfer, or a part of a transfer, that the host has submitted to an endpoint.</summary>
/// <remarks>
/// After the submission, the model owns the URB until the model calls <see cref="Complete(UrbStatus)"/>. The model may call this method on any thread. After
/// this call, the bus reuses the URB for another transfer, so a model must not keep a reference to the URB.
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

    /// <summary>Gets the endpoint to which the URB was submitted.</summary>
    public VirtualEndpoint Endpoint { get; internal set; } = null!;

    /// <summary>Gets whether data flows to the host.</summary>
    public bool IsIn { get; internal set; }

    /// <summary>Gets the size of the buffer (IN) or of the data (OUT), in bytes. The setup packet of a control transfer is not included.</summary>
    public int Length { get; internal set; }

    /// <summary>Gets whether the URB has been submitted and not completed.</summary>
    public bool IsInFlight { get; internal set; }

    /// <summary>Gets whether the URB waits in an endpoint that holds its URBs.</summary>
    public bool IsHeld { get; internal set; }

    /// <summary>Gets whether the host requests an error if an IN transfer is short.</summary>
    public bool ShortNotOk { get; internal set; }

    /// <summary>Gets whether an OUT transfer ends with an empty packet if its length is a multiple of the packet size.</summary>
    public bool ZeroPacket { get; internal set; }

    /// <summary>Gets the stream of a bulk transfer, or 0 if it uses none.</summary>
    public uint StreamId { get; internal set; }

    /// <summary>Gets the setup packet. Only URBs of endpoint 0 have one.</summary>
    public SetupPacket Setup { get; internal set; }

    /// <summary>Gets the number of isochronous packets, or 0 on other endpoints.</summary>
    public int PacketCount { get; private set; }

    /// <summary>Gets or sets the (micro)frame of the first isochronous packet, which the device reports to the host.</summary>
    public int StartFrame { get; set; }

    /// <summary>Gets or sets a number that the model may use for its own purposes until the URB is completed.</summary>
    public long Tag { get; set; }

    /// <summary>Gets the data of an OUT transfer or the buffer of an IN transfer. The model fills the buffer of an IN transfer from its start.</summary>
    public Span<byte> Buffer => new(_buffer, Length);

    /// <summary>Gets the isochronous packets.</summary>
    public Span<IsoPacket> Packets => _packets.AsSpan(0, PacketCount);

    /// <summary>Gets or sets the number of bytes transferred so far, at most <see cref="Length"/>. A URB that is unlinked reports this number.</summary>
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

    /// <summary>Gets or sets the <see cref="FrameClock"/> time at which the URB was submitted. On a busy machine, the endpoint may receive the URB much
    /// later. If the endpoint holds the URB (<see cref="VirtualEndpoint.Hold"/>) and releases it later, the endpoint sets the property to the time of the
    /// release.</summary>
    internal long Microframe { get; set; }

    /// <summary>Gets or sets the number of the URB on its endpoint, counted from 0.</summary>
    internal long Number { get; set; }

    /// <summary>Gets or sets whether the URB continues the transfer of the URB before it.</summary>
    internal bool IsContinuation { get; set; }

    /// <summary>Gets or sets whether the URB waits until the URBs before it have been answered.</summary>
    internal bool IsQueued { get; set; }

    /// <summary>Gets or sets whether a fault withholds the URB from the model.</summary>
    internal bool IsWithheld { get; set; }

    /// <summary>Gets or sets whether the model has answered the URB, but the URB is not completed yet.</summary>
    internal bool IsAnswered { get; set; }

    /// <summary>Gets or sets the model's answer. It is valid while <see cref="IsAnswered"/> is true.</summary>
    internal UrbStatus Answer { get; set; }

    /// <summary>Gets or sets the fault that changes the model's answer.</summary>
    internal FaultRule? Fault { get; set; }

    /// <summary>Gets or sets the length that the host requested, if a fault applies to the URB; otherwise 0.</summary>
    internal int AskedLength { get; set; }

    /// <summary>Gets whether the model has received the URB and not answered it.</summary>
    internal bool IsWithModel => this is { IsHeld: false, IsQueued: false, IsWithheld: false, IsAnswered: false };

    internal Connection Connection => _connection;

    internal byte* Pointer => _buffer;

    /// <summary>Returns the buffer of the isochronous packet at <paramref name="index"/>.</summary>
    public Span<byte> PacketBuffer(int index)
    {
        ref IsoPacket packet = ref Packets[index];
        return new Span<byte>(_buffer + packet.Offset, packet.Length);
    }

    /// <summary>Completes the URB. An isochronous URB reports the lengths of its packets. Any other URB reports <see cref="ActualLength"/> bytes.</summary>
    /// <exception cref="InvalidOperationException">The URB has already been completed.</exception>
    public void Complete(UrbStatus status = UrbStatus.Success) => Endpoint.Device.Complete(this, status);

    /// <summary>Completes the URB with a number of bytes.</summary>
    public void Complete(int actualLength, UrbStatus status = UrbStatus.Success)
    {
        ActualLength = actualLength;
        Complete(status);
    }

    /// <summary>Completes an IN transfer with data. If the data is longer than the buffer, a control transfer drops the excess data, and any other transfer
    /// ends with <see cref="UrbStatus.Overflow"/>.</summary>
    public void CompleteWith(ReadOnlySpan<byte> data)
    {
        int count = Math.Min(data.Length, Length);
        data[..count].CopyTo(Buffer);
        Complete(count, count < data.Length && Endpoint.Address != 0 ? UrbStatus.Overflow : UrbStatus.Success);
    }

    /// <summary>Accepts all data of an OUT transfer, or completes a request that has no data.</summary>
    public void Accept() => Complete(IsIn ? 0 : Length);

    /// <summary>Refuses the transfer. The host receives a STALL.</summary>
    public void Stall() => Complete(UrbStatus.Stall);

    /// <summary>Allocates the buffer for a transfer if the current buffer is too small. The buffer is kept for later transfers.</summary>
    internal void Prepare(int length, int packets)
    {
        if (_capacity < length)
        {
            NativeMemory.Free(_buffer);
            _buffer = null; // if the allocation fails, no dangling pointer remains
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

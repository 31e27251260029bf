using System.Runtime.InteropServices;
using Native.LibUsb.Interop;
using static Native.LibUsb.Interop.libusb;

namespace Native.LibUsb.Tests.Bus;

/// <summary>Represents a libusb transfer with its buffer and a count of its callbacks.</summary>
public sealed unsafe class RawTransfer : IDisposable
{
    private readonly RawHost _host;
    private readonly State* _state;
    private readonly bool _ownsBuffer;
    private bool _submitted;

    public RawTransfer(RawHost host, int length, int packets = 0, byte* buffer = null)
    {
        _host = host;
        _state = (State*)NativeMemory.AllocZeroed((nuint)sizeof(State));
        Native = libusb_alloc_transfer(packets);
        _ownsBuffer = buffer == null;
        Buffer = buffer == null ? (byte*)NativeMemory.AllocZeroed((nuint)Math.Max(length, 1)) : buffer;
        Length = length;
        Packets = packets;
    }

    public libusb_transfer* Native { get; }

    public byte* Buffer { get; }

    public int Length { get; }

    public int Packets { get; }

    /// <summary>Gets the position of this transfer's last callback in the order of all transfers' callbacks.</summary>
    public long Order => _state->Order;

    public int Callbacks => Volatile.Read(ref _state->Callbacks);

    public libusb_transfer_status Status => Native->status;

    public int ActualLength => Native->actual_length;

    public Span<byte> Data => new(Buffer, Length);

    public Span<byte> Received => new(Buffer, ActualLength);

    public static RawTransfer Bulk(RawHost host, libusb_device_handle* handle, byte endpoint, int length, uint timeout = 0)
    {
        RawTransfer transfer = new(host, length);
        libusb_fill_bulk_transfer(transfer.Native, handle, endpoint, transfer.Buffer, length, &OnDone, transfer._state, timeout);
        return transfer;
    }

    public static RawTransfer BulkStream(RawHost host, libusb_device_handle* handle, byte endpoint, uint stream, int length)
    {
        RawTransfer transfer = new(host, length);
        libusb_fill_bulk_stream_transfer(transfer.Native, handle, endpoint, stream, transfer.Buffer, length, &OnDone, transfer._state, 0);
        return transfer;
    }

    public static RawTransfer Interrupt(RawHost host, libusb_device_handle* handle, byte endpoint, int length)
    {
        RawTransfer transfer = new(host, length);
        libusb_fill_interrupt_transfer(transfer.Native, handle, endpoint, transfer.Buffer, length, &OnDone, transfer._state, 0);
        return transfer;
    }

    public static RawTransfer Iso(RawHost host, libusb_device_handle* handle, byte endpoint, int packets, int packetSize, byte* buffer = null)
    {
        RawTransfer transfer = new(host, packets * packetSize, packets, buffer);
        libusb_fill_iso_transfer(transfer.Native, handle, endpoint, transfer.Buffer, packets * packetSize, packets, &OnDone, transfer._state, 0);
        libusb_set_iso_packet_lengths(transfer.Native, (uint)packetSize);
        return transfer;
    }

    public static RawTransfer Control(RawHost host, libusb_device_handle* handle, byte requestType, byte request, ushort value, ushort index, ushort length)
    {
        RawTransfer transfer = new(host, 8 + length);
        libusb_fill_control_setup(transfer.Buffer, requestType, request, value, index, length);
        libusb_fill_control_transfer(transfer.Native, handle, transfer.Buffer, &OnDone, transfer._state, 0);
        return transfer;
    }

    public int TrySubmit()
    {
        _state->Done = 0;
        int result = libusb_submit_transfer(Native);
        _submitted = result == 0;
        return result;
    }

    public RawTransfer Submit()
    {
        RawHost.Check(TrySubmit());
        return this;
    }

    public bool IsDone => Volatile.Read(ref _state->Done) != 0;

    /// <summary>Handles events until the callback has run.</summary>
    public RawTransfer Wait()
    {
        while (!IsDone)
        {
            int result = libusb_handle_events_completed(_host.Context, &_state->Done);
            if (result != (int)libusb_error.LIBUSB_ERROR_INTERRUPTED)
                RawHost.Check(result);
        }
        _submitted = false;
        return this;
    }

    public RawTransfer Expect(libusb_transfer_status status, int actualLength)
    {
        Assert.Equal(status, Status);
        Assert.Equal(actualLength, ActualLength);
        return this;
    }

    public libusb_iso_packet_descriptor Packet(int index) => Descriptors[index];

    public Span<libusb_iso_packet_descriptor> Descriptors => new((byte*)Native + 60, Packets);

    public ReadOnlySpan<byte> PacketData(int index)
    {
        uint offset = 0;
        for (int i = 0; i < index; i++)
            offset += Descriptors[i].length;
        return new ReadOnlySpan<byte>(Buffer + offset, (int)Descriptors[index].actual_length);
    }

    public void Dispose()
    {
        if (_submitted && !IsDone)
        {
            _ = libusb_cancel_transfer(Native);
            Wait();
        }
        libusb_free_transfer(Native);
        if (_ownsBuffer)
            NativeMemory.Free(Buffer);
        NativeMemory.Free(_state);
    }

    private static long s_order;

    [UnmanagedCallersOnly]
    private static void OnDone(libusb_transfer* transfer)
    {
        State* state = (State*)transfer->user_data;
        state->Callbacks++;
        state->Order = Interlocked.Increment(ref s_order);
        Volatile.Write(ref state->Done, 1);
    }

    private struct State
    {
        public int Done;
        public int Callbacks;
        public long Order;
    }
}

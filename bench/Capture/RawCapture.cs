using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;
using static Native.LibUsb.Interop.libusb;

namespace Native.LibUsb.Bench;

/// <summary>
/// Represents a capture that uses the raw layer in the same way as the program in C (<c>capture.c</c>) uses libusb. The callback reads the packets through
/// pointers, because this is the fastest way in C#.
/// </summary>
internal sealed unsafe class RawCapture(Work work) : Capture(work)
{
    private readonly List<nint> _handles = [];
    private libusb_context* _context;
    private libusb_transfer** _all;
    private int _count;
    private byte* _buffer;
    private State* _state;

    private struct State
    {
        public long Completed, Failed, Bytes, Sum;
        public int InFlight;
        public byte IsStopping;
    }

    public override void Open(int first)
    {
        libusb_context* context;
        Check(libusb_init(&context), "libusb_init");
        _context = context;
        libusb_device** list;
        nint count = libusb_get_device_list(context, &list);
        int found = 0;
        for (nint i = 0; i < count; i++)
        {
            libusb_device_descriptor descriptor;
            _ = libusb_get_device_descriptor(list[i], &descriptor);
            if (!Work.Matches(descriptor.idVendor, descriptor.idProduct))
                continue;
            int index = found++;
            if (index >= Work.Devices || index % Work.Contexts != first)
                continue;
            libusb_device_handle* handle;
            Check(libusb_open(list[i], &handle), "libusb_open");
            _handles.Add((nint)handle);
            Check(libusb_claim_interface(handle, Work.Interface), "libusb_claim_interface");
            if (Work.IsIso)
                Check(libusb_set_interface_alt_setting(handle, Work.Interface, Work.IsoSetting), "libusb_set_interface_alt_setting");
        }

        libusb_free_device_list(list, 1);
        if (found < Work.Devices)
            throw new InvalidOperationException($"found {found} matching devices, but {Work.Devices} are needed");
    }

    public override void Dispose()
    {
        foreach (nint handle in _handles)
        {
            _ = libusb_release_interface((libusb_device_handle*)handle, Work.Interface);
            libusb_close((libusb_device_handle*)handle);
        }

        libusb_exit(_context);
    }

    public override void Start()
    {
        _state = (State*)NativeMemory.AllocZeroed((nuint)sizeof(State));
        if (Work.Kind == WorkKind.Sync)
        {
            _buffer = (byte*)NativeMemory.AllocZeroed((nuint)Work.Size);
            return;
        }

        _count = _handles.Count * Work.Depth;
        _all = (libusb_transfer**)NativeMemory.AllocZeroed((nuint)_count, (nuint)sizeof(libusb_transfer*));
        for (int i = 0; i < _count; i++)
        {
            libusb_transfer* transfer = _all[i] = libusb_alloc_transfer(Work.Packets);
            var handle = (libusb_device_handle*)_handles[i % _handles.Count];
            int length = Work.BufferSize;
            var buffer = (byte*)NativeMemory.AllocZeroed((nuint)length);
            if (Work.IsIso)
            {
                libusb_fill_iso_transfer(transfer, handle, Work.Endpoint, buffer, length, Work.Packets, &OnIso, _state, 0);
                libusb_set_iso_packet_lengths(transfer, (uint)Work.Size);
            }
            else
            {
                libusb_fill_bulk_transfer(transfer, handle, Work.Endpoint, buffer, length, &OnBulk, _state, 0);
            }

            Check(libusb_submit_transfer(transfer), "libusb_submit_transfer");
            _state->InFlight++;
        }
    }

    protected override void RunUntil(long completed)
    {
        if (Work.Kind == WorkKind.Sync)
        {
            Read(completed);
        }
        else
        {
            while (_state->Completed < completed)
            {
                _ = libusb_handle_events_completed(_context, null);
                if (_state->InFlight == 0)
                    throw new InvalidOperationException("no transfer is in flight");
            }
        }

        (Counts.Completed, Counts.Failed, Counts.Bytes, Counts.Sum) = (_state->Completed, _state->Failed, _state->Bytes, _state->Sum);
    }

    public override void Stop()
    {
        _state->IsStopping = 1;
        while (_state->InFlight > 0)
            _ = libusb_handle_events_completed(_context, null);
        (Counts.Completed, Counts.Failed, Counts.Bytes, Counts.Sum) = (_state->Completed, _state->Failed, _state->Bytes, _state->Sum);
        for (int i = 0; i < _count; i++)
        {
            NativeMemory.Free(_all[i]->buffer);
            libusb_free_transfer(_all[i]);
        }

        NativeMemory.Free(_all);
        NativeMemory.Free(_buffer);
        NativeMemory.Free(_state);
    }

    private void Read(long completed)
    {
        State* state = _state;
        var handle = (libusb_device_handle*)_handles[0];
        while (state->Completed < completed)
        {
            int actual;
            if (libusb_bulk_transfer(handle, Work.Endpoint, _buffer, Work.Size, &actual, 1000) == 0 && actual > 0)
            {
                state->Bytes += actual;
                state->Sum += _buffer[0];
            }
            else
            {
                state->Failed++;
            }

            state->Completed++;
        }
    }

    [UnmanagedCallersOnly]
    private static void OnBulk(libusb_transfer* transfer)
    {
        var state = (State*)transfer->user_data;
        if (transfer->status == libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED && transfer->actual_length > 0)
        {
            state->Bytes += transfer->actual_length;
            state->Sum += transfer->buffer[0];
        }
        else
        {
            state->Failed++;
        }

        Again(state, transfer);
    }

    [UnmanagedCallersOnly]
    private static void OnIso(libusb_transfer* transfer)
    {
        var state = (State*)transfer->user_data;
        long bytes = 0, sum = 0, failed = 0;
        byte* data = transfer->buffer;
        libusb_iso_packet_descriptor* packet = transfer->iso_packet_desc, end = packet + transfer->num_iso_packets;
        for (; packet < end; data += packet->length, packet++)
        {
            if (packet->status == libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED && packet->actual_length > 0)
            {
                bytes += packet->actual_length;
                sum += *data;
            }
            else
            {
                failed++;
            }
        }

        state->Failed += failed;
        state->Bytes += bytes;
        state->Sum += sum;
        Again(state, transfer);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Again(State* state, libusb_transfer* transfer)
    {
        state->Completed++;
        if (state->IsStopping != 0 || libusb_submit_transfer(transfer) != 0)
            state->InFlight--;
    }

    private static void Check(int error, string function)
    {
        if (error < 0)
            throw new InvalidOperationException($"{function}: {(libusb_error)error}");
    }
}

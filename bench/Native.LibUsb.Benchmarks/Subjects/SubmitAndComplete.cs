using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Native.LibUsb.Benchmarks.Running;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Benchmarks.Subjects;

/// <summary>
/// Measures submissions. The callback of each transfer submits the transfer again until the run ends. One thread submits the transfers and handles the events.
/// The endpoint completes each transfer immediately.
/// </summary>
public abstract unsafe class SubmitAndComplete
{
    /// <summary>The number of transfers of one run.</summary>
    protected const int Transfers = 512;

    private OpenDevice _device = null!;
    private UsbTransfer[] _transfers = null!;
    private libusb_transfer** _natives;
    private RawRun* _rawRun;
    private FacadeRun _facadeRun = null!;

    [Params(1, 16)]
    public int InFlight { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _device = Open();
        _rawRun = (RawRun*)NativeMemory.AllocZeroed((nuint)sizeof(RawRun));
        _natives = (libusb_transfer**)NativeMemory.AllocZeroed((nuint)InFlight, (nuint)sizeof(libusb_transfer*));
        _facadeRun = new FacadeRun();
        _transfers = new UsbTransfer[InFlight];
        for (int i = 0; i < InFlight; i++)
        {
            UsbTransfer transfer = _transfers[i] = Configure(_device.Handle);
            transfer.State = _facadeRun;
            transfer.SetHandler<Handler>();
            _natives[i] = Configure(_device.NativeHandle);
            _natives[i]->callback = &OnCompleted;
            _natives[i]->user_data = _rawRun;
        }

        C();
        if (_natives[0]->user_data == _rawRun)
            throw new InvalidOperationException("C does not run with its own callback.");
        UseRawCallback();
        Raw();
        Facade();
    }

    [GlobalSetup(Target = nameof(Raw))]
    public void SetUpRaw()
    {
        SetUp();
        UseRawCallback();
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        for (int i = 0; i < InFlight; i++)
        {
            _transfers[i].Dispose();
            NativeMemory.Free(_natives[i]->buffer);
            libusb.libusb_free_transfer(_natives[i]);
        }

        NativeMemory.Free(_natives);
        NativeMemory.Free(_rawRun);
        _device.Dispose();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Transfers, Description = "C")]
    [BenchmarkCategory(Categories.Short)]
    public void C()
    {
        if (CCode.SubmitAndComplete(_device.NativeContext, _natives, InFlight, Transfers) != Transfers)
            throw new InvalidOperationException("A transfer failed.");
    }

    [Benchmark(OperationsPerInvoke = Transfers, Description = "raw layer")]
    public void Raw()
    {
        RawRun* run = _rawRun;
        *run = new RawRun { ToSubmit = Transfers - InFlight, ToComplete = Transfers };
        for (int i = 0; i < InFlight; i++)
            UsbException.ThrowIfError(libusb.libusb_submit_transfer(_natives[i]), "submit");
        libusb_context* context = _device.NativeContext;
        while (run->Done == 0)
            UsbException.ThrowIfError(libusb.libusb_handle_events_completed(context, &run->Done), "handle events");
        if (run->Failed != 0)
            throw new InvalidOperationException("A transfer failed.");
    }

    [Benchmark(OperationsPerInvoke = Transfers, Description = "facade")]
    [BenchmarkCategory(Categories.Short)]
    public void Facade()
    {
        FacadeRun run = _facadeRun;
        run.ToSubmit = Transfers - InFlight;
        run.ToComplete = Transfers;
        run.Done = 0;
        foreach (UsbTransfer transfer in _transfers)
            transfer.Submit();
        while (Volatile.Read(ref run.Done) == 0)
            _device.Context.HandleEventsUntil(ref run.Done);
        if (run.Failed)
            throw new InvalidOperationException("A transfer failed.");
    }

    private protected abstract OpenDevice Open();

    /// <summary>Creates and configures a transfer of the facade.</summary>
    protected abstract UsbTransfer Configure(UsbDeviceHandle handle);

    /// <summary>Creates and configures a transfer of the raw layer, with a buffer from <see cref="NativeMemory"/>.</summary>
    protected abstract libusb_transfer* Configure(libusb_device_handle* handle);

    [UnmanagedCallersOnly]
    private static void OnCompleted(libusb_transfer* transfer)
    {
        var run = (RawRun*)transfer->user_data;
        if (transfer->status != libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED)
            run->Failed = 1;
        if (--run->ToComplete == 0)
            run->Done = 1;
        if (run->ToSubmit > 0)
        {
            run->ToSubmit--;
            if (libusb.libusb_submit_transfer(transfer) != 0)
                run->Failed = run->Done = 1;
        }
    }

    private void UseRawCallback()
    {
        for (int i = 0; i < InFlight; i++)
        {
            _natives[i]->callback = &OnCompleted;
            _natives[i]->user_data = _rawRun;
        }
    }

    private struct RawRun
    {
        public int ToSubmit, ToComplete, Failed, Done;
    }

    private sealed class FacadeRun
    {
        public int ToSubmit, ToComplete, Done;
        public bool Failed;
    }

    private readonly struct Handler : IUsbTransferHandler
    {
        public static void OnCompleted(UsbTransfer transfer)
        {
            FacadeRun run = Unsafe.As<FacadeRun>(transfer.State!);
            if (transfer.Status != UsbTransferStatus.Completed)
                run.Failed = true;
            if (--run.ToComplete == 0)
                run.Done = 1;
            if (run.ToSubmit > 0)
            {
                run.ToSubmit--;
                if (transfer.TrySubmit() != UsbError.Success)
                {
                    run.Failed = true;
                    run.Done = 1;
                }
            }
        }
    }
}

/// <summary>Measures bulk transfers of 512 bytes.</summary>
[BenchmarkCategory(Categories.NoAllocation, Categories.Short)]
public unsafe class BulkSubmitAndComplete : SubmitAndComplete
{
    private const int Length = 512;

    private protected override OpenDevice Open() => OpenDevice.Bulk();

    protected override UsbTransfer Configure(UsbDeviceHandle handle)
    {
        UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BenchmarkDevices.In, Length);
        return transfer;
    }

    protected override libusb_transfer* Configure(libusb_device_handle* handle)
    {
        libusb_transfer* transfer = libusb.libusb_alloc_transfer(0);
        libusb.libusb_fill_bulk_transfer(transfer, handle, BenchmarkDevices.In, (byte*)NativeMemory.Alloc(Length), Length, null, null, 0);
        return transfer;
    }
}

/// <summary>Measures isochronous transfers of 8 and 32 packets.</summary>
[BenchmarkCategory(Categories.NoAllocation)]
public unsafe class IsochronousSubmitAndComplete : SubmitAndComplete
{
    private const int PacketLength = 512;

    [Params(8, 32)]
    public int Packets { get; set; }

    private protected override OpenDevice Open() => OpenDevice.Isochronous();

    protected override UsbTransfer Configure(UsbDeviceHandle handle)
    {
        UsbTransfer transfer = handle.CreateTransfer(Packets);
        transfer.SetIsochronous(BenchmarkDevices.In, PacketLength);
        return transfer;
    }

    protected override libusb_transfer* Configure(libusb_device_handle* handle)
    {
        libusb_transfer* transfer = libusb.libusb_alloc_transfer(Packets);
        int length = Packets * PacketLength;
        libusb.libusb_fill_iso_transfer(transfer, handle, BenchmarkDevices.In, (byte*)NativeMemory.Alloc((nuint)length), length, Packets, null, null, 0);
        libusb.libusb_set_iso_packet_lengths(transfer, PacketLength);
        return transfer;
    }
}

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Represents a transfer, how often libusb took it, and how it came back: it must come back once each time.</summary>
internal sealed class TestedTransfer : IDisposable
{
    // Two of them are most of the 16 MiB that usbfs allows: when one is not given back, the next cannot be had.
    private const int DeviceMemoryLength = 4 << 20;
    private const int Packets = 4;

    private readonly List<UsbTransferStatus> _statuses = [];
    private readonly List<UsbTransferStatus> _expected = [];
    private readonly Memory<byte> _buffer;
    private int _accepted, _returned;
    private Action<TestedTransfer>? _inCallback;

    public TestedTransfer(UsbDeviceHandle handle, Cargo cargo)
    {
        Transfer = handle.CreateTransfer(isoPackets: cargo == Cargo.Isochronous ? Packets : 0);
        Cargo = cargo;
        switch (cargo)
        {
            case Cargo.CallersMemory:
                Memory = new CountedMemory(LifetimeDevice.PacketLength);
                _buffer = Memory.Memory;
                Configure();
                break;
            case Cargo.DeviceMemory or Cargo.DisposedDeviceMemory:
                UsbBuffer buffer = handle.AllocateBuffer(DeviceMemoryLength, preferDeviceMemory: true);
                Assert.True(buffer.IsDeviceMemory, "There is no device memory: an earlier test has not given it back.");
                _buffer = buffer.Memory[..LifetimeDevice.PacketLength];
                Configure();
                if (cargo == Cargo.DisposedDeviceMemory)
                    buffer.Dispose();
                break;
            default:
                Configure();
                break;
        }

        Endpoint = Transfer.Endpoint;
    }

    private const UsbTransferStatus NotTold = (UsbTransferStatus)(-1);

    public Cargo Cargo { get; }

    public UsbTransfer Transfer { get; }

    /// <summary>Gets the caller's memory; null when it is not in such.</summary>
    public CountedMemory? Memory { get; }

    public byte Endpoint { get; }

    /// <summary>Gets whether it has come back as often as libusb took it, and its callbacks are done.</summary>
    public bool IsBack => Volatile.Read(ref _returned) == Volatile.Read(ref _accepted);

    public void Submit() => Assert.Equal(UsbError.Success, TrySubmit());

    public UsbError TrySubmit()
    {
        Interlocked.Increment(ref _accepted); // before: its callback may have run when TrySubmit returns
        UsbError error = UsbError.Other;
        try
        {
            return error = Transfer.TrySubmit();
        }
        finally
        {
            if (error != UsbError.Success)
                Interlocked.Decrement(ref _accepted);
        }
    }

    /// <summary>Configures it as it was made.</summary>
    public void Configure()
    {
        switch (Cargo)
        {
            case Cargo.Bulk:
                Transfer.SetBulk(LifetimeDevice.BulkAddress, LifetimeDevice.PacketLength, OnCompleted);
                break;
            case Cargo.CallersMemory or Cargo.DeviceMemory or Cargo.DisposedDeviceMemory:
                Transfer.SetBulkPinned(LifetimeDevice.BulkAddress, _buffer, OnCompleted);
                break;
            case Cargo.Isochronous:
                Transfer.SetIsochronous(LifetimeDevice.IsochronousAddress, LifetimeDevice.PacketLength, OnCompleted);
                break;
            case Cargo.Control:
                Transfer.SetControl(LifetimeDevice.Request, LifetimeDevice.PacketLength, OnCompleted);
                break;
        }
    }

    /// <summary>Says how its latest submission will end.</summary>
    public void Expect(UsbTransferStatus status) => _expected.Add(status);

    /// <summary>Does something in its next callback.</summary>
    public void DoInCallback(Action<TestedTransfer> action) => _inCallback = action;

    /// <summary>It is over: it came back once each time it was taken, and nobody holds on to its memory.</summary>
    public void CheckEnd()
    {
        Assert.Equal(_accepted, _statuses.Count);
        Assert.Equal(0, Memory?.Pins ?? 0);
    }

    /// <summary>It came back as was said.</summary>
    public void CheckStatuses() => Assert.Equal(_expected, _statuses);

    public void Dispose() => (Memory as IDisposable)?.Dispose();

    private void OnCompleted(UsbTransfer transfer)
    {
        _statuses.Add(StatusOf(transfer));
        Interlocked.Exchange(ref _inCallback, null)?.Invoke(this);
        Interlocked.Increment(ref _returned);
    }

    private static UsbTransferStatus StatusOf(UsbTransfer transfer)
    {
        try
        {
            return transfer.Status;
        }
        catch (InvalidOperationException exception) when (exception is not ObjectDisposedException)
        {
            return NotTold; // another thread, in a race, has submitted it again already
        }
    }
}

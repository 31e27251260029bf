using System.Diagnostics;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

/// <summary>
/// Represents a ring, which keeps transfers in flight on one endpoint for a continuous stream of data. <see cref="UsbEndpointRings.CreateInputRing"/> and
/// <see cref="UsbEndpointRings.CreateOutputRing"/> create rings.
/// </summary>
/// <remarks>
/// The ring delivers data in the order in which it submitted the transfers, even if the transfers end in a different order. If no thread handles events when a
/// ring starts, the ring starts the context's event thread. A ring allocates no memory while it transfers data.
/// </remarks>
public abstract class UsbRing : IEndpointUser, IDisposable, IAsyncDisposable
{
    private readonly UsbInterface _interface;
    private readonly int _resets;

    private protected UsbRing(UsbEndpoint endpoint, RingConfiguration configuration)
    {
        Handle = endpoint.Interface.Handle;
        _interface = endpoint.Interface;
        _resets = Handle.Claims.Resets;
        Configuration = configuration;
        var transfers = new RingTransfer[configuration.Transfers + configuration.Spares];
        try
        {
            for (int i = 0; i < transfers.Length; i++)
            {
                transfers[i] = new RingTransfer(this, i, endpoint.CreateTransfer(configuration.Packets), configuration);
                Configure(transfers[i]);
            }
        }
        catch
        {
            foreach (RingTransfer? transfer in transfers)
                transfer?.Transfer.Dispose();
            throw;
        }

        Engine = new RingEngine(this, _interface, transfers);
    }

    /// <summary>Gets the device handle of the endpoint.</summary>
    public UsbDeviceHandle Handle { get; }

    /// <summary>Gets the endpoint's address, with its direction bit.</summary>
    public byte Endpoint => Configuration.Endpoint;

    /// <summary>Gets the type of the ring's transfers.</summary>
    public UsbTransferType TransferType => Configuration.Type;

    /// <summary>Gets the size of one transfer in bytes.</summary>
    public int TransferSize => Configuration.TransferSize;

    /// <summary>Gets the number of transfers that the ring keeps in flight. The program sets this number in the options, or the ring chooses it.</summary>
    public int Transfers => Configuration.Transfers;

    /// <summary>Gets the number of isochronous packets of one transfer; 0 for other endpoints.</summary>
    public int PacketsPerTransfer => Configuration.Packets;

    /// <summary>Gets the size of one isochronous packet in bytes; 0 for other endpoints.</summary>
    public int PacketSize => Configuration.PacketSize;

    /// <summary>Gets the ring's name in metrics. It is the name in the options, or else the endpoint's address.</summary>
    public string Name => Configuration.Options.Name ?? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"0x{Endpoint:x2}");

    /// <summary>Gets or sets an object for the program's handler.</summary>
    public object? State { get; set; }

    /// <summary>
    /// Gets whether the ring is running. The value is true from the start of the ring until the program stops the ring or the ring fails. While the ring clears
    /// a halt, the value is false.
    /// </summary>
    public bool IsRunning => Engine.Run.IsRunning;

    /// <summary>Gets the error that stopped the ring; null while the ring runs, or if the program stopped the ring.</summary>
    public UsbException? Failure => Engine.Run.Failure is var error && error == UsbError.Success ? null : FailureOf(error);

    /// <summary>
    /// Gets a task that completes when the ring has stopped for any reason. At that time, no transfer is in flight, and the last call of the handler has
    /// returned. The task itself never fails; <see cref="Failure"/> returns the ring's error.
    /// </summary>
    public Task Completion => Engine.Run.Completion;

    UsbInterface IEndpointUser.Interface => _interface;

    int IEndpointUser.StreamId => Configuration.Options.StreamId;

    bool IEndpointUser.IsActive => !Engine.Run.IsAtRest;

    internal RingConfiguration Configuration { get; }

    internal RingEngine Engine { get; }

    /// <summary>Gets the part of the ring that chooses the transfers to submit.</summary>
    internal abstract IRingContent Content { get; }

    /// <summary>Gets whether the event thread completes transfers without the ring's lock. Only tests use the property.</summary>
    internal bool IsOnFastPath => Engine.Queue.IsFast;

    /// <summary>Gets or sets whether the ring may enter the fast path. Only tests use the property.</summary>
    internal bool AllowsFastPath
    {
        get => Engine.AllowsFastPath;
        set => Engine.AllowsFastPath = value;
    }

    /// <summary>Makes the next callback leave the fast path. Only tests call the method, in a handler.</summary>
    internal void InterruptFastPath() => Engine.Queue.InterruptFast();

    /// <summary>
    /// Returns the ring's counts. The method takes no lock and does not disturb the stream. The program may call the method in any callback and in a log
    /// handler.
    /// </summary>
    public UsbRingStatistics GetStatistics() =>
        RingCounters.Read(ref Engine.Counters, Engine.Queue.InFlight, Stopwatch.GetElapsedTime(0, Engine.Times.LongestTicks));

    /// <summary>
    /// Stops the ring. The ring submits no more transfers, and cancels the transfers in flight. The program can still read the data that has arrived, and can
    /// start the ring again. The method may be called at any time, on any thread, and more than once.
    /// </summary>
    /// <returns>
    /// A task that completes when nothing is in flight and the last handler has returned. A handler that calls the method must not block its thread by waiting
    /// for the task.
    /// </returns>
    /// <exception cref="InvalidOperationException">The method was called in a log handler.</exception>
    public Task StopAsync()
    {
        LogScope.ThrowIfInside();
        Task rest = Completion; // the task of this run; another run may begin when this run has ended
        Engine.Stop(UsbError.Success);
        return WaitForRestAsync(rest);
    }

    /// <summary>
    /// Stops the ring without waiting, and frees its transfers as soon as they have ended. Buffers that were not read are lost. The program can still read the
    /// buffers that it holds. The method may be called in a callback, and more than once.
    /// </summary>
    /// <exception cref="InvalidOperationException">The method was called in a log handler.</exception>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Engine.Dispose();
    }

    /// <summary>Disposes the ring as <see cref="Dispose"/> does, and waits until nothing is in flight and the last handler has returned.</summary>
    /// <returns>A task that completes when another ring can use the endpoint.</returns>
    /// <exception cref="InvalidOperationException">The method was called in a log handler.</exception>
    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Task rest = Completion;
        Engine.Dispose();
        await WaitForRestAsync(rest).ConfigureAwait(false);
    }

    void IEndpointUser.Stop(UsbError failure) => Engine.Stop(failure);

    /// <summary>Handles a transfer that has ended, if the fast path does not handle the transfer.</summary>
    /// <param name="transfer">The transfer.</param>
    /// <param name="native">The native transfer of <paramref name="transfer"/>.</param>
    /// <param name="now">The time at which the callback began.</param>
    /// <param name="refused">
    /// The error with which libusb refused the spare transfer on the fast path. If the fast path did not try to submit the spare transfer, the value is
    /// <see cref="UsbError.Success"/>.
    /// </param>
    internal abstract unsafe void CompleteSlowly(RingTransfer transfer, libusb_transfer* native, long now, UsbError refused);

    /// <summary>
    /// Reserves the endpoint for this ring. From this call on, a thread that closes the handle may stop the ring. Each constructor therefore calls the method
    /// last, when the ring is fully initialized.
    /// </summary>
    /// <exception cref="InvalidOperationException">Another ring uses the endpoint, or the alternate setting is being changed.</exception>
    private protected void TakeEndpoint()
    {
        try
        {
            Handle.AddEndpointUser(this);
        }
        catch
        {
            Engine.FreeTransfers();
            throw;
        }
    }

    /// <summary>Frees the endpoint for another ring. The ring has already freed its transfers.</summary>
    internal void Released() => Handle.RemoveEndpointUser(this);

    private async Task WaitForRestAsync(Task rest)
    {
        var again = TimeSpan.FromMilliseconds(20);
        while (!rest.IsCompleted)
        {
            await Task.WhenAny(rest, Task.Delay(again)).ConfigureAwait(false);
            if (!rest.IsCompleted)
                Engine.CancelAgain();
        }
    }

    /// <summary>Throws the ring's failure, if there is one. A halt that the ring clears itself is no failure.</summary>
    private protected void ThrowIfFailed()
    {
        UsbException? failure = Failure;
        if (failure is not null && !(failure.Error == UsbError.Pipe && Configuration.Options.Stall == UsbRingStall.ClearHalt))
            throw failure;
    }

    private protected UsbException FailureOf(UsbError error) => error switch
    {
        UsbError.Closed => new UsbException(error, $"stream on endpoint 0x{Endpoint:x2}", hint: "The interface or the device handle was closed."),
        UsbError.Pipe => new UsbException(error, $"stream on endpoint 0x{Endpoint:x2}", hint: "Call ClearHalt, and start the ring again."),
        UsbError.NoDevice when _resets != Handle.Claims.Resets => new UsbException(
            error, $"stream on endpoint 0x{Endpoint:x2}", hint: "The device was reset: dispose the ring, and take the endpoint from the interface again."),
        _ => new UsbException(error, $"stream on endpoint 0x{Endpoint:x2}", hint: TransferHint.ForSubmit(error, Configuration.Type, Configuration.LargestPiece, Configuration.PacketSize)),
    };

    /// <summary>Sets the properties of a transfer that never change.</summary>
    private void Configure(RingTransfer transfer)
    {
        switch (Configuration.Type)
        {
            case UsbTransferType.Isochronous:
                transfer.Transfer.SetIsochronousPinned(Configuration.Endpoint, transfer.Memory);
                break;
            case UsbTransferType.Interrupt:
                transfer.Transfer.SetInterruptPinned(Configuration.Endpoint, transfer.Memory);
                break;
            case UsbTransferType.BulkStream:
                transfer.Transfer.SetBulkStreamPinned(Configuration.Endpoint, Configuration.Options.StreamId, transfer.Memory);
                break;
            default:
                transfer.Transfer.SetBulkPinned(Configuration.Endpoint, transfer.Memory);
                break;
        }
    }
}

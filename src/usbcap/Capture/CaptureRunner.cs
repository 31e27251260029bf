using Native.LibUsb;
using Usbcap.Output;
using Usbcap.Reporting;
using Usbcap.Selection;

namespace Usbcap.Capture;

/// <summary>Runs a capture, from the selection of the device to the summary.</summary>
internal sealed class CaptureRunner(CaptureRequest request)
{
    private string _outcome = "limit";

    private bool DataOnStandardOutput => request.Output == StandardOutputSink.Dash;

    public ExitCode Run()
    {
        CaptureSink.Check(request.Output, request.Force);
        using var context = new UsbContext();
        using UsbDevice device = request.Device.Find(context);
        UsbConfigurationDescriptor configuration = ActiveConfiguration(device);
        EndpointChoice endpoint = request.Endpoint.Find(configuration);
        CapturePlan plan = CapturePlan.Make(request, endpoint);

        using UsbDeviceHandle handle = device.Open();
        if (request.DetachKernelDriver)
            handle.SetAutoDetachKernelDriver(true);
        using UsbInterface claimed = Claim(handle, endpoint.Interface);
        if (endpoint.AlternateSetting != 0 || HasAlternatives(configuration, endpoint.Interface))
            claimed.SetAlternateSetting(endpoint.AlternateSetting); // if an interface has no alternatives, some devices stall this request

        using var session = new CaptureSession(claimed, plan);
        using CaptureSink sink = CaptureSink.Open(request.Output, request.Force);

        Stream(context, session, sink);
        FailureException? failure = Finish(session, sink);
        Summarise(new Summary { Device = device, Session = session, Sink = sink, Outcome = _outcome, Failure = failure });
        failure?.Report();
        return failure?.Code ?? ExitCode.Success;
    }

    private static UsbConfigurationDescriptor ActiveConfiguration(UsbDevice device)
    {
        try
        {
            return device.GetActiveConfigurationDescriptor();
        }
        catch (UsbException e) when (e.Error == UsbError.NotFound)
        {
            throw new FailureException(ExitCode.NoEndpoint, $"{device} is not configured, so it has no endpoints", e);
        }
    }

    private static bool HasAlternatives(UsbConfigurationDescriptor configuration, int number) =>
        configuration.Interfaces.FirstOrDefault(one => one.Number == number) is { AlternateSettings.Count: > 1 };

    private static UsbInterface Claim(UsbDeviceHandle handle, int number)
    {
        UsbError error = handle.TryClaimInterface(number, out UsbInterface? claimed);
        if (error == UsbError.Success)
            return claimed!;
        if (error != UsbError.Busy)
            throw FailureException.From(new UsbException(error, $"claim interface {number} of {handle.Device}"));
        string holder = handle.TryGetKernelDriver(number, out string? driver)
            ? $"{(driver is null ? "a kernel driver" : $"the kernel driver '{driver}'")} has claimed it; use --detach-kernel-driver to detach the driver during the capture"
            : "another program has claimed it";
        throw new FailureException(ExitCode.Busy, $"interface {number} of {handle.Device} is busy: {holder}");
    }

    /// <summary>Captures data from the first submission until all data has been written.</summary>
    private void Stream(UsbContext context, CaptureSession session, CaptureSink sink)
    {
        bool showProgress = request.Progress ?? !Console.IsErrorRedirected;
        var progress = new ProgressLine(session, showProgress);
        context.UnhandledCallbackException += (_, e) => session.Fail(FailureException.From(e.Exception));
        using var signals = new StopSignals(session);
        using UsbEventThread events = context.StartEventThread(new UsbEventThreadOptions
        {
            Name = "usbcap events",
            RealTimePriority = request.RealTimePriority ?? 0,
            Scheduling = UsbSchedulingDemand.Required,
        });
        using var writer = new WriterThread(session, request, sink);
        progress.Prepare();
        session.Prepare();

        session.Start();
        writer.Begin();
        try
        {
            WaitForEnd(session, progress);
        }
        finally
        {
            session.CancelAndDrain();
            writer.Finish();
            session.Finish();
        }

        progress.Clear();
        if (signals.Received && !session.LimitReached)
            _outcome = "interrupted";
    }

    private void WaitForEnd(CaptureSession session, ProgressLine progress)
    {
        TimeSpan period = TimeSpan.FromMilliseconds(ProgressLine.PeriodMilliseconds);
        while (!session.IsStopping)
        {
            TimeSpan wait = period;
            if (request.Duration is { } duration)
            {
                TimeSpan left = duration - session.Elapsed;
                if (left <= TimeSpan.Zero)
                {
                    _outcome = "duration";
                    break;
                }

                wait = left < wait ? left : wait;
            }

            session.Wait(wait);
            progress.Write();
        }
    }

    /// <summary>
    /// Completes the output if the capture has not failed. Returns the failure, or null if the capture was successful. The message of the failure contains the
    /// location of the captured data.
    /// </summary>
    private FailureException? Finish(CaptureSession session, CaptureSink sink)
    {
        FailureException? failure = session.Failure;
        if (failure is null)
        {
            try
            {
                sink.Complete();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                failure = new FailureException(ExitCode.Output, $"cannot complete {sink.Name}: {e.Message}", e);
            }
        }

        if (failure is not null)
        {
            _outcome = "failed";
            sink.Dispose();
            string kept = sink.Path is { } path ? $"; the {sink.Length} bytes that were captured before the failure are in {path}"
                : sink is FileSink ? "; nothing was captured" : $"; {sink.Length} bytes were written";
            return new FailureException(failure.Code, failure.Message + kept, failure);
        }

        long lost = session.Counters.Lost(session.Plan.IsIsochronous);
        return request.Strict && lost + session.Counters.Errors > 0
            ? new FailureException(ExitCode.DataLost, $"{lost} packets lost, {session.Counters.Errors} errors; {sink.Name} contains all other data")
            : null;
    }

    private void Summarise(Summary summary)
    {
        if (request.Json)
        {
            using Stream stream = DataOnStandardOutput ? Console.OpenStandardError() : Console.OpenStandardOutput();
            summary.WriteJson(stream);
        }
        else
        {
            summary.WriteText(DataOnStandardOutput ? Console.Error : Console.Out);
        }
    }
}

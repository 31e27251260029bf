using System.Diagnostics.Tracing;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Counts the GC handles of the process. The runtime reports this number after a collection.</summary>
internal sealed class GCHandleCounter : EventListener
{
    private readonly SemaphoreSlim _reported = new(0);
    private long _count;

    /// <summary>Gets whether the runtime reports the number. Native AOT without event sources does not report it.</summary>
    public static bool IsAvailable => AppContext.TryGetSwitch("System.Diagnostics.Tracing.EventSource.IsSupported", out bool supported) ? supported : System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeSupported;

    /// <summary>Collects forgotten objects, and returns the number of the remaining handles.</summary>
    public long Collect()
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        while (_reported.Wait(0))
        {
        }

        GC.Collect();
        Assert.True(_reported.Wait(TimeSpan.FromSeconds(30)), "The runtime did not report its heap.");
        return Interlocked.Read(ref _count);
    }

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        const EventKeywords collections = (EventKeywords)1;
        if (eventSource.Name == "Microsoft-Windows-DotNETRuntime")
            EnableEvents(eventSource, EventLevel.Informational, collections);
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        int index = eventData.PayloadNames?.IndexOf("GCHandleCount") ?? -1;
        if (index < 0 || _reported is null) // the base class may call this method before the fields are initialized
            return;
        Interlocked.Exchange(ref _count, Convert.ToInt64(eventData.Payload![index], System.Globalization.CultureInfo.InvariantCulture));
        _reported.Release();
    }

    public override void Dispose()
    {
        base.Dispose();
        _reported.Dispose();
    }
}

#pragma warning disable CA2012 // the tests close the owner before they await the calls

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Tests control requests that have already completed when the program awaits them. Even if the handle or the context closes before the program awaits a
/// request, the caller's memory must contain the answer.
/// </summary>
public sealed class AwaitedAnswerTests : ClosingTest
{
    private const int Length = 64;

    [BusTheory]
    [InlineData(Closed.Handle)]
    [InlineData(Closed.Context)]
    public async Task A_completed_read_delivers_its_bytes_when_its_owner_is_closed_before_it_is_awaited(Closed what)
    {
        byte[] answer = new byte[Length];
        ValueTask<int> reading = Complete(answer);
        Close(what);
        Assert.Equal(Length, await reading);
        Assert.Equal(-1, answer.AsSpan().IndexOfAnyExcept((byte)0x5a));
    }

    [BusFact]
    public void A_read_delivers_its_bytes_before_it_counts_as_completed()
    {
        byte[] answer = new byte[Length];
        Complete(answer);
        Assert.Equal(-1, answer.AsSpan().IndexOfAnyExcept((byte)0x5a));
    }

    [BusFact]
    public async Task An_answer_that_cannot_be_delivered_is_an_exception_of_the_call()
    {
        var memory = new CountedMemory(Length);
        using IDisposable owner = memory;
        Memory<byte> answer = memory.Memory;
        var failure = new InvalidTimeZoneException("The memory is gone.");
        memory.SpanFailure = failure;
        ValueTask<int> reading = Complete(answer);
        Assert.True(reading.IsFaulted);
        Assert.Same(failure, await Record.ExceptionAsync(async () => await reading));
        memory.SpanFailure = null;
        Assert.Equal(Length, await Complete(answer));
    }

    private ValueTask<int> Complete(Memory<byte> answer)
    {
        ValueTask<int> reading = Handle.ControlReadAsync(LifetimeDevice.Request, answer);
        Device.WaitForKept(1, Patience);
        Device.CompleteOldest(0);
        Assert.True(SpinWait.SpinUntil(() => reading.IsCompleted, Patience));
        return reading;
    }
}

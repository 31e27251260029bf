namespace Native.LibUsb.Tests.Streaming;

/// <summary>Specifies what the threads of a ring do with its queue of transfers.</summary>
internal enum QueueStep
{
    Submit,
    SubmitRefused,
    End,
    TakeFirst, // by a reader
    RemoveAny, // by a ring that writes
    Skip,
    GiveBack,
    EnterFast,
    CompleteFast,
    RefuseFast,
    InterruptFast,
    LeaveFast,
}

using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Native.LibUsb;

/// <summary>Controls the scheduling of the calling thread on Windows.</summary>
internal static unsafe partial class WindowsScheduling
{
    private const int TimeCritical = 15; // THREAD_PRIORITY_TIME_CRITICAL
    private const ushort AllGroups = 0xffff; // ALL_PROCESSOR_GROUPS

    /// <summary>Gets the number of processors of the machine, in all processor groups.</summary>
    public static int ProcessorCount => (int)CountOf(AllGroups);

    /// <exception cref="Win32Exception">Windows refused the request.</exception>
    public static void MakeTimeCritical()
    {
        if (SetPriority(CurrentThread(), TimeCritical) == 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    /// <exception cref="ArgumentException">The processors belong to several processor groups. A thread can run on the processors of only one group.</exception>
    public static void CheckOneGroup(ReadOnlySpan<int> processors, string argument)
    {
        ushort group = Place(processors[0]).Group;
        foreach (int processor in processors)
        {
            if (Place(processor).Group != group)
                throw new ArgumentException("Windows divides the processors into groups, and a thread runs in only one group. These processors belong to several groups.", argument);
        }
    }

    /// <exception cref="Win32Exception">Windows refused the request.</exception>
    public static void Confine(ReadOnlySpan<int> processors)
    {
        GroupAffinity affinity = default;
        foreach (int processor in processors)
        {
            (ushort group, int bit) = Place(processor);
            affinity.Group = group;
            affinity.Mask |= (nuint)1 << bit;
        }

        if (SetGroupAffinity(CurrentThread(), &affinity, null) == 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    private static (ushort Group, int Bit) Place(int processor)
    {
        int bit = processor;
        ushort group = 0;
        for (int count; bit >= (count = (int)CountOf(group)); group++)
        {
            if (count == 0)
                throw new InvalidOperationException("Windows has taken a processor away.");
            bit -= count;
        }

        return (group, bit);
    }

    [LibraryImport("kernel32", EntryPoint = "GetCurrentThread")]
    private static partial nint CurrentThread();

    [LibraryImport("kernel32", EntryPoint = "SetThreadPriority", SetLastError = true)]
    private static partial int SetPriority(nint thread, int priority);

    [LibraryImport("kernel32", EntryPoint = "GetActiveProcessorCount")]
    private static partial uint CountOf(ushort group);

    [LibraryImport("kernel32", EntryPoint = "SetThreadGroupAffinity", SetLastError = true)]
    private static partial int SetGroupAffinity(nint thread, GroupAffinity* affinity, GroupAffinity* previous);

    // GROUP_AFFINITY
    private struct GroupAffinity
    {
        public nuint Mask;
        public ushort Group;
        public ushort Reserved0;
        public ushort Reserved1;
        public ushort Reserved2;
    }
}

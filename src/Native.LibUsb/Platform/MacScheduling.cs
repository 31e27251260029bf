using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Native.LibUsb;

/// <summary>Controls the scheduling of the calling thread on macOS.</summary>
internal static unsafe partial class MacScheduling
{
    private const int TimeConstraint = 2; // THREAD_TIME_CONSTRAINT_POLICY
    private const double ComputationNanoseconds = 500_000;
    private const double ConstraintNanoseconds = 1_000_000;

    /// <exception cref="Win32Exception">The kernel refused the policy.</exception>
    public static void MakeTimeConstrained()
    {
        TimebaseInfo timebase;
        int result = GetTimebase(&timebase);
        if (result == 0)
        {
            double ticksPerNanosecond = (double)timebase.Denominator / timebase.Numerator;
            var policy = new TimeConstraintPolicy
            {
                Period = 0, // events are not periodic
                Computation = (uint)(ComputationNanoseconds * ticksPerNanosecond),
                Constraint = (uint)(ConstraintNanoseconds * ticksPerNanosecond),
                Preemptible = 1,
            };
            result = SetPolicy(PortOf(Self()), TimeConstraint, &policy, (uint)(sizeof(TimeConstraintPolicy) / sizeof(int)));
        }

        if (result != 0)
            throw new Win32Exception(result, $"macOS did not make it a time-constraint thread: kern_return_t {result}.");
    }

    [LibraryImport("libc", EntryPoint = "pthread_self")]
    private static partial nint Self();

    [LibraryImport("libc", EntryPoint = "pthread_mach_thread_np")]
    private static partial uint PortOf(nint thread);

    [LibraryImport("libc", EntryPoint = "mach_timebase_info")]
    private static partial int GetTimebase(TimebaseInfo* info);

    [LibraryImport("libc", EntryPoint = "thread_policy_set")]
    private static partial int SetPolicy(uint thread, int flavor, TimeConstraintPolicy* policy, uint count);

    // struct mach_timebase_info: ticks * Numerator / Denominator is the time in nanoseconds.
    private struct TimebaseInfo
    {
        public uint Numerator;
        public uint Denominator;
    }

    // struct thread_time_constraint_policy, in ticks
    private struct TimeConstraintPolicy
    {
        public uint Period;
        public uint Computation;
        public uint Constraint;
        public int Preemptible;
    }
}

//! An agent, and all that it said.

use std::sync::Arc;

use mesos::{
    agent::{Agent, AgentOptions, ContainerNews},
    call::FrameworkInfo,
    capability::Capabilities,
    effects::{AgentEffects, Container},
    event::{FromAgent, RunTasks, StatusUpdate, ToAgent},
    id::{AgentId, ExecutorId, FrameworkId, Id, RoleId, TaskId},
    registration::{AgentInfo, Reregistration},
    resource::Resources,
    task::{ExecutorInfo, ExecutorKind, Reason, TaskDetail, TaskInfo, TaskKey, TaskState},
    time::{Span, Time},
};

pub(crate) const SECOND: i64 = 1_000_000_000;

/// Everything the agent said since somebody last looked. Every random wait is as long as it can be.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) to_master: Vec<FromAgent>,
    pub(crate) orders: Vec<Container>,
    pub(crate) backoffs: Vec<Span>,
}

impl AgentEffects for Said {
    fn send_to_master(&mut self, message: FromAgent) {
        self.to_master.push(message);
    }
    fn contain(&mut self, order: Container) {
        self.orders.push(order);
    }
    fn backoff(&mut self, most: Span) -> Span {
        self.backoffs.push(most);
        most
    }
}

/// An agent in conversation.
pub(crate) struct Talk {
    pub(crate) agent: Agent,
    pub(crate) now: Time,
    pub(crate) said: Said,
}

impl Talk {
    /// An agent with 4 CPUs and 4096 MB that nobody has heard of.
    pub(crate) fn unregistered() -> Self {
        Self::with("cpus:4;mem:4096")
    }

    pub(crate) fn with(resources: &str) -> Self {
        let info = AgentInfo { resources: Resources::parse(resources).unwrap(), ..AgentInfo::default() };
        let agent = Agent::new(info, AgentOptions::default());
        Self { agent, now: Time::ZERO, said: Said::default() }
    }

    /// The same, registered as the first agent; pings are trusted.
    pub(crate) fn new() -> Self {
        let mut talk = Self::unregistered();
        talk.register();
        talk
    }

    pub(crate) fn register(&mut self) {
        self.agent.trust_pings(self.now, true);
        self.detect(true);
        self.tell(ToAgent::Registered { id: AgentId::new(0), ping_timeout: Span::from_secs(75) });
        self.said = Said::default();
    }

    pub(crate) fn detect(&mut self, is_known: bool) {
        self.agent.master_detected(self.now, is_known, &mut self.said);
    }

    /// The link breaks, and the same master has the agent again.
    pub(crate) fn reregister(&mut self, reconcile: Vec<TaskKey>) {
        self.detect(true);
        self.reregistered(reconcile);
    }

    pub(crate) fn reregistered(&mut self, reconcile: Vec<TaskKey>) {
        self.tell(ToAgent::Reregistered { ping_timeout: Span::from_secs(75), reconcile });
    }

    pub(crate) fn tell(&mut self, message: ToAgent) {
        self.agent.handle_master(self.now, message, &mut self.said);
    }

    pub(crate) fn news(&mut self, news: ContainerNews) {
        self.agent.handle_container(self.now, news, &mut self.said);
    }

    pub(crate) fn task_is(&mut self, n: usize, state: TaskState) {
        self.task_is_for(n, state, None);
    }

    pub(crate) fn task_is_for(&mut self, n: usize, state: TaskState, reason: Option<Reason>) {
        self.news(ContainerNews::Task { key: key(n), state, reason, more: None });
    }

    /// Lets time pass, and all timers fire on their way.
    pub(crate) fn wait_until(&mut self, seconds: u64) {
        let until = Time::from_secs(seconds);
        while let Some(at) = self.agent.next_timeout().filter(|&at| at <= until) {
            self.now = self.now.max(at);
            self.agent.handle_timeout(self.now, &mut self.said);
        }
        self.now = until;
    }

    /// The process ends and starts again.
    pub(crate) fn restart(&mut self, rebooted: bool) -> Vec<TaskKey> {
        let idle = Agent::new(AgentInfo::default(), AgentOptions::default());
        let (checkpoint, lost) = std::mem::replace(&mut self.agent, idle).crash();
        let options = AgentOptions::default();
        self.agent = Agent::recover(checkpoint, options, rebooted, self.now, &mut self.said);
        self.agent.trust_pings(self.now, true);
        lost
    }

    /// All status updates sent since somebody last looked.
    pub(crate) fn updates(&mut self) -> Vec<StatusUpdate> {
        let update = |message| if let FromAgent::Update(_, update) = message { Some(update) } else { None };
        std::mem::take(&mut self.said.to_master).into_iter().filter_map(update).collect()
    }

    /// Of all updates sent since somebody last looked: which task, which state, why.
    pub(crate) fn told(&mut self) -> Vec<(usize, TaskState, Option<Reason>)> {
        let short = |update: StatusUpdate| (update.key.task.index(), update.state, update.reason);
        self.updates().into_iter().map(short).collect()
    }

    /// Acknowledges all updates that are or will be sent.
    pub(crate) fn acknowledge_all(&mut self) {
        loop {
            let updates = self.updates();
            let acks: Vec<_> =
                updates.into_iter().filter_map(|update| Some((update.key, update.uuid?))).collect();
            if acks.is_empty() {
                return;
            }
            acks.into_iter().for_each(|(key, uuid)| self.tell(ToAgent::Acknowledge { key, uuid }));
        }
    }

    pub(crate) fn orders(&mut self) -> Vec<Container> {
        std::mem::take(&mut self.said.orders)
    }

    pub(crate) fn messages(&mut self) -> Vec<FromAgent> {
        std::mem::take(&mut self.said.to_master)
    }

    /// What it last said of itself to a master that it knew.
    pub(crate) fn reregistration(&mut self) -> Reregistration {
        let report = |message| if let FromAgent::Reregister(report) = message { Some(*report) } else { None };
        self.messages().into_iter().filter_map(report).last().expect("a re-registration")
    }

    /// Starts a command task of one CPU.
    pub(crate) fn run(&mut self, n: usize) {
        self.tell(run(vec![task(n, "cpus:1;mem:32")]));
    }

    /// Starts a command task of one CPU, which is running soon; the framework has seen it.
    pub(crate) fn run_up(&mut self, n: usize) {
        self.run(n);
        self.task_is(n, TaskState::Running);
        self.acknowledge_all();
        self.said = Said::default();
    }

    /// Starts tasks in executor 0; `is_new` as the master thinks.
    pub(crate) fn run_in_executor(&mut self, tasks: &[usize], is_new: bool) {
        let tasks = tasks.iter().map(|&n| task(n, "cpus:1;mem:32")).collect();
        let ToAgent::Run(mut run) = run(tasks) else { unreachable!() };
        run.group = Some(executor());
        run.launch_executor = Some(is_new);
        self.tell(ToAgent::Run(run));
    }

    pub(crate) fn executor_is_up(&mut self) {
        let (framework, executor) = (framework(), ExecutorId::new(0));
        self.news(ContainerNews::ExecutorRegistered { framework, executor });
    }

    pub(crate) fn executor_exits(&mut self, reason: Option<Reason>) {
        let (framework, executor, status) = (framework(), ExecutorId::new(0), 9);
        self.news(ContainerNews::ExecutorExited { framework, executor, status, reason });
    }

    pub(crate) fn framework_changes(&mut self, change: impl FnOnce(&mut FrameworkInfo)) {
        let mut info = framework_info();
        change(&mut info);
        self.tell(ToAgent::UpdateFramework { framework: framework(), info: Arc::new(info) });
    }
}

pub(crate) fn framework() -> FrameworkId {
    FrameworkId::new(0)
}

/// Checkpoints, is partition-aware, and does not know `TASK_KILLING`.
pub(crate) fn framework_info() -> FrameworkInfo {
    FrameworkInfo {
        capabilities: Capabilities::PARTITION_AWARE,
        checkpoint: true,
        ..FrameworkInfo::default()
    }
}

pub(crate) fn key(n: usize) -> TaskKey {
    TaskKey { framework: framework(), task: TaskId::new(n) }
}

pub(crate) fn task(n: usize, resources: &str) -> TaskInfo {
    let resources = Resources::parse(resources).unwrap();
    TaskInfo { id: TaskId::new(n), agent: AgentId::new(0), resources, data: 0, detail: None }
}

pub(crate) fn detailed(n: usize, detail: TaskDetail) -> TaskInfo {
    TaskInfo { detail: Some(Arc::new(detail)), ..task(n, "cpus:1;mem:32") }
}

pub(crate) fn executor() -> ExecutorInfo {
    ExecutorInfo {
        id: ExecutorId::new(0),
        kind: ExecutorKind::Default,
        framework: Some(framework()),
        command: false,
        container: None,
        resources: Resources::parse("cpus:0.1;mem:32").unwrap(),
        shutdown_grace: None,
    }
}

pub(crate) fn run(tasks: Vec<TaskInfo>) -> ToAgent {
    run_of(framework_info(), tasks)
}

pub(crate) fn run_of(info: FrameworkInfo, tasks: Vec<TaskInfo>) -> ToAgent {
    ToAgent::Run(Box::new(RunTasks {
        framework: framework(),
        info: Arc::new(info),
        role: RoleId::new(0),
        group: None,
        tasks: tasks.into(),
        launch_executor: None,
    }))
}

pub(crate) fn kill(n: usize) -> ToAgent {
    ToAgent::Kill { key: key(n), grace: None }
}

pub(crate) fn is_kill(order: &Container, n: usize, of_grace: Span) -> bool {
    matches!(order, Container::Kill { key: of, grace } if *of == key(n) && *grace == of_grace)
}

pub(crate) fn resources(text: &str) -> Resources {
    Resources::parse(text).unwrap()
}

pub(crate) fn json(text: &str) -> Resources {
    serde_json::from_str(text).unwrap()
}
